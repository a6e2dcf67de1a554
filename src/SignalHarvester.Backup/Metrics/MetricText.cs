using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Metrics;

/// <summary>The metrics of a backup directory in Prometheus' text format.</summary>
public static class MetricText
{
    /// <summary>The media type of the format.</summary>
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Derives the metrics from the catalogue and the history.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="options">Further values for the metrics.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The text in UTF-8, its lines ended by LF.</returns>
    /// <exception cref="BackupException">HistoryUnreadable: no metrics rather than counters
    /// at 0; DirectoryNotFound, DirectoryUnreadable; SidecarHostile: a strange status of a protection; InvalidArgument: a label.</exception>
    public static byte[] Of(BackupDirectory directory, MetricOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        options.Validate();
        var totals = new EventHistory(directory).ReadTotals(context);
        var listing = directory.List();
        foreach (var fault in listing.Faults)
        {
            context.Verbose($"Not counted: {fault.Message}");
        }

        using var text = new MemoryStream();
        MetricSet.Of(listing, totals, ProtectionFolder.All(directory), options, context.Clock.GetUtcNow())
            .CollectAndExportAsTextAsync(text, context.Cancellation).GetAwaiter().GetResult();
        return text.ToArray();
    }
}
