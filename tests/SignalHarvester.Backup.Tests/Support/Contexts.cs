using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>Contexts for what needs one and reports nothing of interest.</summary>
internal static class Contexts
{
    public static OperationContext Silent { get; } = new(TimeProvider.System, _ => { }, CancellationToken.None);
}
