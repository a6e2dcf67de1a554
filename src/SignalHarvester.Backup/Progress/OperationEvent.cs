namespace SignalHarvester.Backup.Progress;

/// <summary>A report of a running operation.</summary>
public abstract record OperationEvent;

/// <summary>A sentence for the user.</summary>
/// <param name="IsWarning">Whether it needs attention; otherwise it is only an explanation.</param>
/// <param name="Text">The sentence.</param>
public sealed record OperationMessage(bool IsWarning, string Text) : OperationEvent;

/// <summary>A line of a run's log.</summary>
/// <param name="Text">The line.</param>
public sealed record OperationLogLine(string Text) : OperationEvent;

/// <summary>A result of an operation that has many, such as a row of a query.</summary>
/// <param name="Item">The result.</param>
/// <param name="Bytes">Bytes of memory that it takes, as far as that matters.</param>
public sealed record OperationResult(object Item, long Bytes) : OperationEvent;

/// <summary>The progress of a step.</summary>
/// <param name="Activity">The step, such as "Backing up app.db".</param>
/// <param name="DoneBytes">Bytes done.</param>
/// <param name="TotalBytes">Bytes in all.</param>
/// <param name="BytesPerSecond">The mean rate so far.</param>
/// <param name="Remaining">Time left at that rate; null while unknown.</param>
public sealed record OperationProgress(string Activity, long DoneBytes, long TotalBytes, double BytesPerSecond, TimeSpan? Remaining) : OperationEvent
{
    /// <summary>The part of the step that is being done, such as "index 2 of 5"; null if it has no parts.</summary>
    public string? Part { get; init; }

    /// <summary>Percent done, 0 to 100.</summary>
    public int Percent => TotalBytes <= 0 ? 0 : (int)Math.Clamp(100.0 * DoneBytes / TotalBytes, 0, 100);
}

/// <summary>The end of a step and its progress.</summary>
/// <param name="Activity">The step.</param>
public sealed record OperationStepCompleted(string Activity) : OperationEvent;
