namespace SignalHarvester.Backup.Progress;

/// <summary>Counts a step's bytes and reports a few times a second. Disposing it completes the step.</summary>
internal sealed class ProgressMeter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly TimeProvider clock;
    private readonly Action<OperationEvent> report;
    private readonly string activity;
    private readonly long totalBytes;
    private readonly long started;
    private long lastReport;
    private long done;

    /// <summary>Begins a step.</summary>
    /// <param name="clock">Measures the time.</param>
    /// <param name="report">Called from the thread that advances the meter.</param>
    /// <param name="activity">The step, in words for the user.</param>
    /// <param name="totalBytes">How many bytes there are.</param>
    public ProgressMeter(TimeProvider clock, Action<OperationEvent> report, string activity, long totalBytes)
    {
        this.clock = clock;
        this.report = report;
        this.activity = activity;
        this.totalBytes = totalBytes;
        started = lastReport = clock.GetTimestamp();
        report(new OperationProgress(activity, 0, totalBytes, 0, null));
    }

    /// <summary>The part of the step that is being done; null if it has no parts.</summary>
    public string? Part { get; set; }

    /// <summary>Notes that this many more bytes are done. One thread at a time may call it.</summary>
    public void Advance(long bytes) => MoveTo(done + bytes);

    /// <summary>Notes how many bytes are done in all.</summary>
    public void MoveTo(long doneBytes)
    {
        done = doneBytes;
        if (clock.GetElapsedTime(lastReport) < Interval)
        {
            return;
        }

        Report();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (done > 0 || Part is not null)
        {
            // The overall result, also of a step that ended before its first report.
            Report();
        }

        report(new OperationStepCompleted(activity));
    }

    private void Report()
    {
        lastReport = clock.GetTimestamp();
        var seconds = clock.GetElapsedTime(started).TotalSeconds;
        var rate = seconds > 0 ? done / seconds : 0;
        var remaining = rate > 0 && totalBytes >= done ? TimeSpan.FromSeconds((totalBytes - done) / rate) : (TimeSpan?)null;
        report(new OperationProgress(activity, done, totalBytes, rate, remaining) { Part = Part });
    }
}
