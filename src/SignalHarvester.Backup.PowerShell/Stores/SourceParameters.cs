using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>The parameter that names the store to read from.</summary>
public sealed class SourceParameters
{
    /// <summary>
    /// The store with the backups: its name in the configuration, an address (s3://bucket/prefix/, gs://bucket/prefix/,
    /// azure://account/container/prefix/), or a folder's path. Tab completes the names.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(StorePlaceCompleter))]
    [ValidateNotNullOrEmpty]
    public string? From { get; set; }
}
