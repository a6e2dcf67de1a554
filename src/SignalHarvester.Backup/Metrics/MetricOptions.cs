using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Metrics;

/// <summary>What metrics are to say beyond what the backup directory knows.</summary>
public sealed partial record MetricOptions
{
    /// <summary>The time between two backups of a database, by its full path, that its schedule promises; null if unknown.</summary>
    public Func<string, TimeSpan?> ExpectedInterval { get; init; } = _ => null;

    /// <summary>Labels that every metric gets, so that those of several backup directories can meet in one place.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Refuses labels that Prometheus would not take.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    internal void Validate()
    {
        if (Labels.Keys.FirstOrDefault(name => !LabelName().IsMatch(name) || MetricSet.OwnLabels.Contains(name)) is { } wrong)
        {
            throw BackupException.InvalidArgument(
                wrong, $"'{wrong}' cannot be the name of a label. Give one of ASCII letters, digits and underscores that does not begin with a digit or two underscores, and is not one of {string.Join(", ", MetricSet.OwnLabels)}.");
        }
    }

    [GeneratedRegex(@"\A(?!__)[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex LabelName();
}
