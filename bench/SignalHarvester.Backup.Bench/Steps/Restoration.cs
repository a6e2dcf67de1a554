namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Contestants that restore a database into an empty directory. The result is compared with the hash of what was backed up.</summary>
internal sealed class Restoration(Workspace workspace)
{
    private string Target => workspace["restored"];

    /// <param name="name">The contestant's name.</param>
    /// <param name="missing">Why it cannot run, or null.</param>
    /// <param name="source">The place of its backup.</param>
    /// <param name="back">Makes the backup, unless it exists.</param>
    /// <param name="restore">The command that restores from the source into an empty directory.</param>
    /// <param name="hash">Returns the SHA-256 of the expected result, once the backup exists.</param>
    /// <param name="isBaseline">Whether the others are compared with it.</param>
    public Contestant Of(
        string name, string? missing, string source, Action back, Func<string, string, Command> restore, Func<string> hash, bool isBaseline = false) => new()
        {
            Name = name,
            IsBaseline = isBaseline,
            Missing = missing,
            Inputs = [source],
            Outputs = [Target],
            Prepare = () =>
            {
                back();
                Directory.CreateDirectory(Target);
            },
            Run = restore(source, Target).Run,
            Check = () => Check(hash()),
        };

    /// <summary>Restores, untimed, the backup of another contestant, and compares it with the hash.</summary>
    /// <exception cref="BenchException">It differs.</exception>
    public void Check(Func<string, Command> restore, string hash)
    {
        Directory.CreateDirectory(Target);
        restore(FileIn(Target)).Run();
        Check(hash);
        Workspace.Delete(Target);
    }

    /// <summary>Returns the file to restore to, for tools that need one.</summary>
    public static string FileIn(string target) => Path.Combine(target, "restored.db");

    private void Check(string hash)
    {
        var files = Directory.GetFiles(Target, "*.db", SearchOption.AllDirectories);
        if (files.Length != 1 || Workspace.HashOf(files[0]) != hash)
        {
            throw new BenchException("What was restored is not the database that was backed up.");
        }
    }
}
