namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Contestants that restore a database into an empty directory, and are held against the hash of what was backed up.</summary>
internal sealed class Restoration(Workspace workspace)
{
    private string Target => workspace["restored"];

    /// <param name="name">The contestant's name.</param>
    /// <param name="missing">Why it cannot run, or null.</param>
    /// <param name="source">Where its backup lies.</param>
    /// <param name="back">Makes the backup, unless it is there.</param>
    /// <param name="restore">The command that restores from the source into an empty directory.</param>
    /// <param name="hash">SHA-256 of what must come back, asked for once the backup is there.</param>
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

    /// <summary>Restores, untimed, what another contestant has left, and holds it against the hash.</summary>
    /// <exception cref="BenchException">It is something else.</exception>
    public void Check(Func<string, Command> restore, string hash)
    {
        Directory.CreateDirectory(Target);
        restore(FileIn(Target)).Run();
        Check(hash);
        Workspace.Delete(Target);
    }

    /// <summary>The file to restore to where the tool wants to know.</summary>
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
