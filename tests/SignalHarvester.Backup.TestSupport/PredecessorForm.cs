namespace SignalHarvester.Backup.TestSupport;

/// <summary>How the Python tool wrote one backup; its versions and habits differ.</summary>
public sealed record PredecessorForm
{
    /// <summary>The moment of the backup, UTC.</summary>
    public DateTime Timestamp { get; init; } = new(2025, 11, 10, 2, 0, 0, 123, 456, DateTimeKind.Utc);

    /// <summary>full, incremental (a full copy all the same) or wal (the raw <c>-wal</c> file).</summary>
    public string Type { get; init; } = "full";

    /// <summary>none, gzip or zstd, as the sidecar says.</summary>
    public string Compression { get; init; } = "none";

    /// <summary>What the file really holds, where that is something else.</summary>
    public string? RealCompression { get; init; }

    /// <summary>Whether the id ends with microseconds; older versions' ids do not.</summary>
    public bool MicrosecondsInId { get; init; } = true;

    /// <summary>What the sidecar's times end with: nothing, which means UTC, or an offset as <c>+00:00</c>.</summary>
    public string Offset { get; init; } = "";

    /// <summary>Whether there is a sidecar; older versions wrote backups.json only.</summary>
    public bool Sidecar { get; init; } = true;

    /// <summary>Whether backups.json knows the backup.</summary>
    public bool Index { get; init; } = true;

    /// <summary>Whether the sidecar says that the backup was verified.</summary>
    public bool SidecarVerified { get; init; }

    /// <summary>Whether backups.json says so; older versions put it there only.</summary>
    public bool IndexVerified { get; init; }

    /// <summary>daily, weekly or monthly; null for none.</summary>
    public string? RetentionPolicy { get; init; } = "daily";

    /// <summary>The folder that backup_path names; null for the true one. The directory may have been moved since.</summary>
    public string? StaleFolder { get; init; }
}
