using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>The parameter that names the stores to send to.</summary>
public sealed class TargetParameters
{
    /// <summary>
    /// The stores to send to: their names in the configuration, addresses (s3://bucket/prefix/, gs://bucket/prefix/,
    /// azure://account/container/prefix/), or folders' paths. Tab completes the names.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(StorePlaceCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? To { get; set; }
}
