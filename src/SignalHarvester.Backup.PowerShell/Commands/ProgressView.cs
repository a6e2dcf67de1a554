using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows an operation's progress: percent, bytes, rate and time left.</summary>
internal static class ProgressView
{
    private const int ActivityId = 1;

    public static ProgressRecord Of(OperationProgress progress) => new(ActivityId, progress.Activity, Status(progress))
    {
        PercentComplete = progress.TotalBytes > 0 ? progress.Percent : -1,
        SecondsRemaining = progress.Remaining is { } left ? (int)Math.Min(left.TotalSeconds, int.MaxValue) : -1,
    };

    public static ProgressRecord Completed(OperationStepCompleted step) =>
        new(ActivityId, step.Activity, "Done") { RecordType = ProgressRecordType.Completed };

    public static string Size(double bytes)
    {
        var (value, unit) = bytes switch
        {
            >= 1L << 40 => (bytes / (1L << 40), "TiB"),
            >= 1 << 30 => (bytes / (1 << 30), "GiB"),
            >= 1 << 20 => (bytes / (1 << 20), "MiB"),
            >= 1 << 10 => (bytes / (1 << 10), "KiB"),
            _ => (bytes, "B"),
        };
        return value.ToString(unit == "B" ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + unit;
    }

    private static string Status(OperationProgress progress) => (progress.Part is { } part ? $"{part}: " : string.Empty) + Done(progress);

    private static string Done(OperationProgress progress) => progress.TotalBytes <= 0
        ? "working"
        : string.Create(CultureInfo.InvariantCulture, $"{progress.Percent} %, {Size(progress.DoneBytes)} of {Size(progress.TotalBytes)}")
            + (progress.BytesPerSecond > 0 ? $", {Size(progress.BytesPerSecond)}/s" : string.Empty);
}
