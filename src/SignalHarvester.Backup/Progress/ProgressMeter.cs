namespace SignalHarvester.Backup.Progress;

/// <summary>Counts a step's bytes and reports a few times a second. Disposing it completes the step.</summary>
internal sealed class ProgressMeter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly OperationContext context;
    private readonly string activity;
    private readonly long totalBytes;
    private readonly long started;
    private long lastReport;
    private long done;

    public ProgressMeter(OperationContext context, string activity, long totalBytes)
    {
        this.context = context;
        this.activity = activity;
        this.totalBytes = totalBytes;
        started = lastReport = context.Clock.GetTimestamp();
        context.Report(new OperationProgress(activity, 0, totalBytes, 0, null));
    }

    /// <summary>Notes that so many more bytes are done. By one thread at a time.</summary>
    public void Advance(long bytes) => MoveTo(done + bytes);

    /// <summary>Notes how many bytes are done in all.</summary>
    public void MoveTo(long doneBytes)
    {
        done = doneBytes;
        if (context.Clock.GetElapsedTime(lastReport) < Interval)
        {
            return;
        }

        Report();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (done > 0)
        {
            // How it went in all, also for a step that was over before its first report.
            Report();
        }

        context.Report(new OperationStepCompleted(activity));
    }

    private void Report()
    {
        lastReport = context.Clock.GetTimestamp();
        var seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        var rate = seconds > 0 ? done / seconds : 0;
        context.Report(new OperationProgress(
            activity,
            done,
            totalBytes,
            rate,
            rate > 0 && totalBytes >= done ? TimeSpan.FromSeconds((totalBytes - done) / rate) : null));
    }
}
