using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Metrics;

/// <summary>Values for the metrics that the backup directory does not have.</summary>
public sealed partial record MetricOptions
{
    // The labels that metrics have by themselves.
    private static readonly string[] OwnLabels =
        ["backup_type", "compression", "database", "error_type", "le", "provider", "retention_policy", "sqlite", "status", "version"];

    /// <summary>The time between two backups of a database, by its full path, that its schedule promises; null if unknown.</summary>
    public Func<string, TimeSpan?> ExpectedInterval { get; init; } = _ => null;

    /// <summary>Labels for every metric, to distinguish several backup directories in one place.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Refuses labels that Prometheus does not allow.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    internal void Validate()
    {
        if (Labels.Keys.FirstOrDefault(name => !LabelName().IsMatch(name) || OwnLabels.Contains(name)) is { } wrong)
        {
            throw BackupException.InvalidArgument(
                wrong,
                $"'{wrong}' cannot be the name of a label. Give one of ASCII letters, digits and underscores that does not begin with a digit or two underscores, and is not one of {string.Join(", ", OwnLabels)}.");
        }
    }

    [GeneratedRegex(@"\A(?!__)[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex LabelName();
}
