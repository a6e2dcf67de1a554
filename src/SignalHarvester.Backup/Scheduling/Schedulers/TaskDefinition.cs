using System.Text;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>Exactly what the operating system gets for a schedule.</summary>
/// <param name="Files">The files, or the content for a file that is not only ours.</param>
/// <param name="Commands">The commands that put them into effect, each with its arguments.</param>
internal sealed record TaskDefinition(IReadOnlyList<TaskFile> Files, IReadOnlyList<IReadOnlyList<string>> Commands)
{
    /// <summary>Returns all of it as text, for people to read and for other machines.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var file in Files)
        {
            text.Append("==> ").Append(file.Path).Append(" <==\n").Append(file.Content).Append('\n');
        }

        foreach (var command in Commands)
        {
            text.Append("==> run: ").AppendJoin(' ', command).Append('\n');
        }

        return text.ToString();
    }
}
