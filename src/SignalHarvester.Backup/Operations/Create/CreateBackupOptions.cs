using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>The options of a backup.</summary>
public sealed record CreateBackupOptions
{
    /// <summary>The type of the backup.</summary>
    public BackupStrategy Strategy { get; init; }

    /// <summary>The id of the parent; null for the newest backup of the same database.</summary>
    public string? ParentId { get; init; }

    /// <summary>With <see cref="BackupStrategy.Auto"/>, the number of increments before the next full backup.</summary>
    public int MaxIncrements { get; init; } = 30;

    /// <summary>
    /// With <see cref="BackupStrategy.Auto"/>, the largest total size of a chain's increments, in percent of the full backup,
    /// before the next full one.
    /// </summary>
    public int MaxIncrementShare { get; init; } = 50;

    /// <summary>The codec; Zstd by default.</summary>
    public CompressionType Compression { get; init; } = CompressionType.Zstd;

    /// <summary>The codec's level: 1 to 19 for Zstd, 1 to 9 for Gzip; null for its default.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>The retention policy of the backup; null for a manual one.</summary>
    public RetentionPolicy? RetentionPolicy { get; init; }

    /// <summary>Free text.</summary>
    public string? Description { get; init; }

    /// <summary>A free map of simple values.</summary>
    public IReadOnlyDictionary<string, object?> Metadata { get; init; } = new Dictionary<string, object?>();

    /// <summary>The encryption of the backup; null for a plain one.</summary>
    public BackupEncryption? Encryption { get; init; }

    /// <summary>Whether the sidecar of an encrypted backup may show the database's tables and row counts.</summary>
    public bool RevealContent { get; init; }

    /// <summary>Whether the finished backup is read back and checked before it is published.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Whether a damaged source is backed up anyway, and marked as damaged.</summary>
    public bool TolerateDamage { get; init; }

    /// <summary>Whether nobody writes to the database under an unknown name (hard link), as in a tree of snapshots.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>How long to wait for locks on the database.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether this is a safety backup of a database that a restore will overwrite.</summary>
    internal bool IsSafety { get; init; }

    /// <summary>Whether the database was in WAL mode before the restore, and returns to it.</summary>
    internal bool WasWal { get; init; }

    /// <summary>The follower of the database in this process, which knows the snapshot and its changes; null if there is none.</summary>
    internal FollowedBackup? Followed { get; init; }

    /// <summary>Whether the stepped backup API is used at once instead of a pinned snapshot.</summary>
    internal bool ForceStepped { get; init; }
}
