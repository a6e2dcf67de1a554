using System.Text.Json.Serialization;

namespace SignalHarvester.Backup;

/// <summary>One backup: what the cmdlets emit and take. All sizes are bytes, all times UTC.</summary>
public sealed record BackupMetadata
{
    /// <summary>The backup's id, <c>backup_yyyyMMdd_HHmmss_ffffff</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What the file holds.</summary>
    public BackupType Type { get; init; }

    /// <summary>The moment of the snapshot.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>
    /// The backup's place among those that were there when it was made: its timestamp, or a later moment where one of them
    /// is dated later, because a clock was wrong.
    /// </summary>
    [JsonIgnore]
    internal DateTimeOffset Order
    {
        get => field == default ? Timestamp : field;
        init;
    }

    /// <summary>How old the backup is at the moment of asking. Compare it with <c>30d</c>, <c>'12h'</c>, <c>'6mo'</c>.</summary>
    public BackupAge Age => BackupAge.Between(Timestamp, Clock.GetUtcNow());

    /// <summary>The database that was backed up, as a full path on the machine that made the backup.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The backup file beside the sidecar, as a full path on this machine, or the address of one in an object store.</summary>
    public required string BackupPath { get; init; }

    /// <summary>The directory that the backup was found in, or the address of the object store.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>How the file is compressed.</summary>
    public CompressionType Compression { get; init; }

    /// <summary>Whether the file is encrypted, in the age format.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The age public keys that the file is encrypted to; empty where it is not encrypted, or with a passphrase.</summary>
    public IReadOnlyList<string> Recipients
    {
        get;
        init => field = value as string[] ?? value.ToArray();
    } = [];

    /// <summary>Size of the file as stored, in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Size of the database image (page count times page size), in bytes; null where it was not recorded.</summary>
    public long? DatabaseSize { get; init; }

    /// <summary>The database's page size in bytes; null where it was not recorded.</summary>
    public int? PageSize { get; init; }

    /// <summary>The number of pages of the image; null where it was not recorded.</summary>
    public long? PageCount { get; init; }

    /// <summary>
    /// SHA-256 of the uncompressed database image, in lower-case hex; null where it is not known: a WAL backup is taken
    /// without reading the database, and only a full test computes it.
    /// </summary>
    public string? Checksum { get; init; }

    /// <summary>SHA-256 over the page digests of the image, in lower-case hex; null where it was not recorded.</summary>
    public string? PagesChecksum { get; init; }

    /// <summary>SHA-256 of the file as stored, in lower-case hex; null where it was not recorded.</summary>
    public string? StoredChecksum { get; init; }

    /// <summary>SHA-256 of the uncompressed WAL, for incremental and WAL backups.</summary>
    public string? WalChecksum { get; init; }

    /// <summary>The id of the backup that this one builds on; null for a full backup.</summary>
    public string? ParentId { get; init; }

    /// <summary>Increments between this backup and its full one: 0 for a full backup; null where the chain is broken.</summary>
    public int? Depth { get; init; }

    /// <summary>Files that a restore reads, this one included: 1 for a full backup; null where the chain is broken.</summary>
    public int? ChainLength => Depth + 1;

    /// <summary>Whether the last verification passed.</summary>
    public bool Verified { get; init; }

    /// <summary>How deep the last passed verification went: over the whole chain where there is one, but for a WAL backup that was not tested since it was made.</summary>
    public VerificationLevel VerificationLevel { get; init; }

    /// <summary>When the backup was last verified, passed or not.</summary>
    public DateTimeOffset? VerificationTimestamp { get; init; }

    /// <summary>
    /// The verification's place among those of the other backups: its moment, or a later one where one that was recorded before it
    /// is dated later, because a clock was wrong.
    /// </summary>
    [JsonIgnore]
    internal DateTimeOffset? VerificationOrder
    {
        get => field ?? VerificationTimestamp;
        init;
    }

    /// <summary>When a scrub last read the file as stored and found it good; null where none has.</summary>
    public DateTimeOffset? ScrubTimestamp { get; init; }

    /// <summary>When the file as stored was last read whole and found good, by a verification or a scrub; null where that is not known.</summary>
    [JsonIgnore]
    internal DateTimeOffset? LastRead
    {
        get
        {
            var now = Clock.GetUtcNow();
            DateTimeOffset?[] reads = [Verified ? VerificationTimestamp : null, ScrubTimestamp];

            // One that a wrong clock dated ahead does not hide the other.
            return reads.Where(read => read <= now).Max() ?? reads.Max();
        }
    }

    /// <summary>The single checks of the last verification.</summary>
    public IReadOnlyList<VerificationCheck> Verification
    {
        get;
        // An array, which PowerShell can index from both ends; the compiler's own read-only list it cannot.
        init => field = value as VerificationCheck[] ?? value.ToArray();
    } = [];

    /// <summary>
    /// Where the database is at odds with itself, as the last full verification found, and what mends it: an index that its
    /// application let fall behind, a value that its schema does not allow. No page is damaged, and the backup is a true image.
    /// </summary>
    public IReadOnlyList<string> Inconsistencies
    {
        get;
        init => field = value as string[] ?? value.ToArray();
    } = [];

    /// <summary>The calendar rule that the backup was made for; null for a manual backup.</summary>
    public RetentionPolicy? RetentionPolicy { get; init; }

    /// <summary>Free text given when the backup was made.</summary>
    public string? Description { get; init; }

    /// <summary>The free map given with -Metadata, and what the engine noted.</summary>
    public IReadOnlyDictionary<string, object?> Metadata { get; init; } = new Dictionary<string, object?>();

    /// <summary>The address of the first copy in an object store; null where there is none. The predecessor records it without the copy.</summary>
    public string? CloudUrl
    {
        get => field ?? (Copies is [var first, ..] ? first.Url : null);
        init;
    }

    /// <summary>The kind of store that the first copy is in; null where there is none.</summary>
    public CloudProvider? CloudProvider
    {
        get => field ?? (Copies is [var first, ..] ? first.Provider : null);
        init;
    }

    /// <summary>All copies in object stores that are known here, the first one first.</summary>
    public IReadOnlyList<BackupCopy> Copies
    {
        get;
        init => field = value as BackupCopy[] ?? value.ToArray();
    } = [];

    /// <summary>The object store that this backup was listed from; null for one in a backup directory.</summary>
    public StoreLocation? Location { get; init; }

    /// <summary>How long making the backup took; null where it was not recorded.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Rows in each ordinary table at the moment of the snapshot; null where they were not counted.</summary>
    public IReadOnlyDictionary<string, long>? RowCounts { get; init; }

    /// <summary>Whether this is a safety backup, made by a restore of what it overwrote.</summary>
    public bool IsSafety { get; init; }

    /// <summary>
    /// Whether this backup was removed, and is kept only because others build on it that could not be made independent of it:
    /// it is encrypted, and no secret key was at hand. Get-SHBackup lists it with -Tree alone; it goes with the last that builds on it.
    /// </summary>
    public bool IsRetired { get; init; }

    /// <summary>Whether the source was known to be damaged when it was backed up with -Force.</summary>
    public bool IsSourceCorrupt { get; init; }

    /// <summary>Whether the predecessor, the Python tool, made this backup.</summary>
    public bool IsPredecessor { get; init; }

    /// <summary>Whether the sidecar of an encrypted backup may tell what the database holds: its tables and their rows.</summary>
    [JsonIgnore]
    internal bool RevealsContent { get; init; }

    /// <summary>Whose the database file was when it was backed up; null where that was not recorded, as on Windows.</summary>
    [JsonIgnore]
    internal FileAccessRecord? FileAccess { get; init; }

    /// <summary>Where in the database's own write-ahead log the snapshot ended; null where there was no such place.</summary>
    [JsonIgnore]
    internal WalPosition? WalPosition { get; init; }

    /// <summary>The backup's id and the file name of its database, as questions and progress name it.</summary>
    [JsonIgnore]
    internal string DisplayName => DatabasePath is { Length: > 0 } path ? $"{Id} of {path.Split('/', '\\')[^1]}" : Id;

    /// <summary>The clock that <see cref="Age"/> is measured with.</summary>
    [JsonIgnore]
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The backup's id, so that an object can stand where an id is wanted.</summary>
    public override string ToString() => Id;
}
