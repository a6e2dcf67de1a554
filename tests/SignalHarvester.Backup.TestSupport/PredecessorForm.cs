namespace SignalHarvester.Backup.TestSupport;

/// <summary>The form of one backup of the Python tool; its versions and habits differ.</summary>
public sealed record PredecessorForm
{
    /// <summary>The moment of the backup, UTC.</summary>
    public DateTime Timestamp { get; init; } = new(2025, 11, 10, 2, 0, 0, 123, 456, DateTimeKind.Utc);

    /// <summary>full, incremental (a full copy all the same) or wal (the raw <c>-wal</c> file).</summary>
    public string Type { get; init; } = "full";

    /// <summary>none, gzip or zstd, as the sidecar says.</summary>
    public string Compression { get; init; } = "none";

    /// <summary>The real compression of the file, if it is another.</summary>
    public string? RealCompression { get; init; }

    /// <summary>Whether the id ends with microseconds; older versions' ids do not.</summary>
    public bool MicrosecondsInId { get; init; } = true;

    /// <summary>The end of the sidecar's times: nothing, which means UTC, or an offset such as <c>+00:00</c>.</summary>
    public string Offset { get; init; } = "";

    /// <summary>Whether there is a sidecar; older versions wrote backups.json only.</summary>
    public bool Sidecar { get; init; } = true;

    /// <summary>Whether the backup is in backups.json.</summary>
    public bool Index { get; init; } = true;

    /// <summary>Whether the sidecar says that the backup was verified.</summary>
    public bool SidecarVerified { get; init; }

    /// <summary>Whether backups.json says so; older versions wrote it only there.</summary>
    public bool IndexVerified { get; init; }

    /// <summary>daily, weekly or monthly; null for none.</summary>
    public string? RetentionPolicy { get; init; } = "daily";

    /// <summary>The folder in backup_path; null for the true one. The directory may have been moved since.</summary>
    public string? StaleFolder { get; init; }
}
