namespace SignalHarvester.Backup;

/// <summary>One operation in the history of a backup directory: who did what, when, how long, and how it ended.</summary>
public sealed record BackupEvent
{
    /// <summary>The error id of an operation that was stopped, by Ctrl+C or a signal.</summary>
    public const string Stopped = nameof(Stopped);

    /// <summary>The event's number in the history. Later events have higher ones; 0 until it is recorded.</summary>
    public long EventId { get; init; }

    /// <summary>When the operation began, in UTC.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>What was done.</summary>
    public required BackupOperation Operation { get; init; }

    /// <summary>How it ended.</summary>
    public BackupEventStatus Status { get; init; }

    /// <summary>How long it took, all that belongs to it included.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The database concerned, as a full path on the machine that made the backup; null where none is known.</summary>
    public string? Database { get; init; }

    /// <summary>The backup concerned; null where there is none, as after a backup that failed.</summary>
    public string? BackupId { get; init; }

    /// <summary>The backup's type; null where it was not decided yet.</summary>
    public BackupType? Type { get; init; }

    /// <summary>How the backup is compressed; null where that is not known.</summary>
    public CompressionType? Compression { get; init; }

    /// <summary>The kind of object store that the operation used; null for none.</summary>
    public CloudProvider? Provider { get; init; }

    /// <summary>The calendar rule that the backup was made for; null for a manual backup.</summary>
    public RetentionPolicy? RetentionPolicy { get; init; }

    /// <summary>Size of the backup's file as stored, in bytes; null where there is none.</summary>
    public long? Bytes { get; init; }

    /// <summary>Whether a verification that was part of the operation passed; null where there was none.</summary>
    public bool? Verified { get; init; }

    /// <summary>Where it went: the database file that was restored to, or the address of the object store; null for neither.</summary>
    public string? Destination { get; init; }

    /// <summary>The stable id of the error that the operation ended in, <see cref="Stopped"/>, or null after a success.</summary>
    public string? ErrorId { get; init; }

    /// <summary>What went wrong, in a sentence; null after a success.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>Whether what the database holds is not to be recorded, because the history lies beside encrypted backups.</summary>
    internal bool IsSecret { get; init; }

    /// <summary>The schedule that the operation ran for; null where somebody ran it.</summary>
    public string? Schedule { get; init; }

    /// <summary>The account that ran it.</summary>
    public string? User { get; init; }

    /// <summary>The machine that it ran on.</summary>
    public string? Host { get; init; }

    /// <summary>The process that it ran in.</summary>
    public int ProcessId { get; init; }

    /// <summary>The backup directory that the history belongs to.</summary>
    public string? BackupDirectory { get; init; }

    /// <summary>The event on one line.</summary>
    public override string ToString() => $"{Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} {Operation} {BackupId ?? Database}: {Status}{(ErrorId is null ? string.Empty : $" ({ErrorId})")}";
}
