namespace SignalHarvester.Backup;

/// <summary>One operation in the history of a backup directory: its time, duration, account and result.</summary>
public sealed record BackupEvent
{
    /// <summary>The error id of an operation that was stopped, by Ctrl+C or a signal.</summary>
    public const string Stopped = nameof(Stopped);

    /// <summary>The event's number in the history. Later events have higher ones; 0 until it is recorded.</summary>
    public long EventId { get; init; }

    /// <summary>When the operation began, in UTC.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>The operation.</summary>
    public required BackupOperation Operation { get; init; }

    /// <summary>The result.</summary>
    public BackupEventStatus Status { get; init; }

    /// <summary>The duration of all its parts.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The database, as a full path on the machine that made the backup; null if unknown.</summary>
    public string? Database { get; init; }

    /// <summary>The backup; null if there is none, as after a failed backup.</summary>
    public string? BackupId { get; init; }

    /// <summary>The backup's type; null if it was not decided yet.</summary>
    public BackupType? Type { get; init; }

    /// <summary>The compression of the backup; null if unknown.</summary>
    public CompressionType? Compression { get; init; }

    /// <summary>The kind of object store that the operation used; null for none.</summary>
    public CloudProvider? Provider { get; init; }

    /// <summary>The retention policy of the backup; null for a manual backup.</summary>
    public RetentionPolicy? RetentionPolicy { get; init; }

    /// <summary>Size of the backup's file as stored, in bytes; null if there is none.</summary>
    public long? Bytes { get; init; }

    /// <summary>Whether a verification within the operation passed; null if there was none.</summary>
    public bool? Verified { get; init; }

    /// <summary>The target: the restored database file, or the address of the object store; null for neither.</summary>
    public string? Destination { get; init; }

    /// <summary>The stable id of the error that ended the operation, <see cref="Stopped"/>, or null after a success.</summary>
    public string? ErrorId { get; init; }

    /// <summary>The error in a sentence; null after a success.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>Whether the database's content must not be recorded, because the history is beside encrypted backups.</summary>
    internal bool IsSecret { get; init; }

    /// <summary>The schedule of the operation; null if a person ran it.</summary>
    public string? Schedule { get; init; }

    /// <summary>The account that ran it.</summary>
    public string? User { get; init; }

    /// <summary>The machine that ran it.</summary>
    public string? Host { get; init; }

    /// <summary>The process that ran it.</summary>
    public int ProcessId { get; init; }

    /// <summary>The backup directory of the history.</summary>
    public string? BackupDirectory { get; init; }

    /// <summary>The event on one line.</summary>
    public override string ToString() =>
        $"{Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} {Operation} {BackupId ?? Database}: {Status}{(ErrorId is null ? string.Empty : $" ({ErrorId})")}";
}
