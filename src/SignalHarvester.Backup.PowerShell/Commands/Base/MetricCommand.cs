using System.Collections;
using System.Management.Automation;
using SignalHarvester.Backup.Metrics;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that export metrics.</summary>
public abstract class MetricCommand : BackupCommand
{
    /// <summary>
    /// The promised time between two backups of every database in the directory, such as 1d. It becomes
    /// shbackup_expected_interval_seconds, with which alerts detect a backup that is too old. Without it, that metric is
    /// absent.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
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
