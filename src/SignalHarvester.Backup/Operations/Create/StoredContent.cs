using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>The stored content of a backup, and how it was made.</summary>
internal sealed record StoredContent
{
    public required BackupType Type { get; init; }

    /// <summary>The parent; null for a full backup.</summary>
    public BackupMetadata? Parent { get; init; }

    public required long StoredLength { get; init; }

    public required string StoredChecksum { get; init; }

    public required long PageCount { get; init; }

    /// <summary>SHA-256 of the image; null if the image was not read.</summary>
    public string? Checksum { get; init; }

    public required string PagesChecksum { get; init; }

    /// <summary>Compares the image of a full backup with what is read back; null for an increment, and with -NoVerify.</summary>
    public ContentSum? Sum { get; init; }

    public string? WalChecksum { get; init; }

    /// <summary>How the snapshot was read: <c>pinned</c>, <c>stepped</c> or <c>log</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Pages that could not be read, and are zeros instead.</summary>
    public long MissingPages { get; init; }

    /// <summary>The pages in an increment that a scan found; null for a full backup, and for one from the log.</summary>
    public PageSet? Changed { get; init; }

    /// <summary>The number of pages in the increment; null for a full backup.</summary>
    public long? ChangedPages { get; init; }
}
