using System.Collections;
using System.Management.Automation;
using SignalHarvester.Backup.Metrics;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets share that give metrics away.</summary>
public abstract class MetricCommand : BackupCommand
{
    /// <summary>
    /// The promised time between two backups of every database in the directory, such as 1d. It becomes
    /// shbackup_expected_interval_seconds, with which alerts detect a backup that is too old. Without it, that metric is
    /// absent.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public BackupAge? ExpectedInterval { get; set; }

    /// <summary>
    /// Labels for every metric, such as @{ directory = 'nas' }. They distinguish several backup directories on one machine.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable Label { get; set; } = [];

    private protected MetricOptions Options() => new()
    {
        ExpectedInterval = _ => ExpectedInterval?.Value,
        Labels = Label.Cast<DictionaryEntry>().ToDictionary(
            entry => LanguagePrimitives.ConvertTo<string>(entry.Key),
            entry => LanguagePrimitives.ConvertTo<string>(entry.Value),
            StringComparer.Ordinal),
    };
}
