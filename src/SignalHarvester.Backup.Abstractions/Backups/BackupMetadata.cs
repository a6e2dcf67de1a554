using System.Text.Json.Serialization;

namespace SignalHarvester.Backup;

/// <summary>
/// One backup, as the cmdlets emit and accept it. All sizes are in bytes, all times in UTC. What a command did with a backup is a
/// derived record, which goes wherever a backup goes.
/// </summary>
public record BackupMetadata
{
    /// <summary>The backup's id, <c>backup_yyyyMMdd_HHmmss_ffffff</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The content of the file.</summary>
    public BackupType Type { get; init; }

    /// <summary>The moment of the snapshot.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>
    /// The backup's place in the order of backups: its timestamp, or a later moment if an earlier backup
    /// has a later date from a wrong clock.
    /// </summary>
    [JsonIgnore]
    internal DateTimeOffset Order
    {
        get => field == default ? Timestamp : field;
        init;
    }

    /// <summary>The present age of the backup. Compare it with <c>30d</c>, <c>'12h'</c>, <c>'6mo'</c>.</summary>
    public BackupAge Age => BackupAge.Between(Timestamp, Clock.GetUtcNow());

    /// <summary>The database, as a full path on the machine that made the backup.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The backup file beside the sidecar, as a full path on this machine, or its address in an object store.</summary>
    public required string BackupPath { get; init; }

    /// <summary>The directory of the backup, or the address of the object store.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>The compression of the file.</summary>
    public CompressionType Compression { get; init; }

    /// <summary>Whether the file is encrypted, in the age format.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The age public keys that the file is encrypted to; empty for a plain file or a passphrase.</summary>
    public IReadOnlyList<string> Recipients
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>Size of the file as stored, in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Size of the database image (page count times page size), in bytes; null if it was not recorded.</summary>
    public long? DatabaseSize { get; init; }

    /// <summary>The database's page size in bytes; null if it was not recorded.</summary>
    public int? PageSize { get; init; }

    /// <summary>The number of pages of the image; null if it was not recorded.</summary>
    public long? PageCount { get; init; }

    /// <summary>
    /// SHA-256 of the uncompressed database image, in lower-case hex; null if unknown: a WAL backup is made
    /// without reading the database, and only a full test computes it.
    /// </summary>
    public string? Checksum { get; init; }

    /// <summary>SHA-256 over the page digests of the image, in lower-case hex; null if it was not recorded.</summary>
    public string? PagesChecksum { get; init; }

    /// <summary>SHA-256 of the file as stored, in lower-case hex; null if it was not recorded.</summary>
    public string? StoredChecksum { get; init; }

    /// <summary>SHA-256 of the uncompressed WAL, for incremental and WAL backups.</summary>
    public string? WalChecksum { get; init; }

    /// <summary>The id of the backup that this one builds on; null for a full backup.</summary>
    public string? ParentId { get; init; }

    /// <summary>The number of increments from the full backup to this one: 0 for a full backup; null if the chain is broken.</summary>
    public int? Depth { get; init; }

    /// <summary>The number of files that a restore reads, including this one: 1 for a full backup; null if the chain is broken.</summary>
    public int? ChainLength => Depth + 1;

    /// <summary>Whether the last verification passed.</summary>
    public bool Verified { get; init; }

    /// <summary>
    /// The level of the last passed verification. It covers the whole chain, except for a WAL backup that was never tested
    /// after it was made.
    /// </summary>
    public VerificationLevel VerificationLevel { get; init; }

    /// <summary>The time of the last verification, passed or not.</summary>
    public DateTimeOffset? VerificationTimestamp { get; init; }

    /// <summary>
    /// The verification's place in the order of verifications: its moment, or a later one if an earlier record
    /// has a later date from a wrong clock.
    /// </summary>
    [JsonIgnore]
    internal DateTimeOffset? VerificationOrder
    {
        get => field ?? VerificationTimestamp;
        init;
    }

    /// <summary>When a scrub last read the file as stored and found it good; null if none has.</summary>
    public DateTimeOffset? ScrubTimestamp { get; init; }

    /// <summary>The time when a verification or a scrub last read the whole stored file and found it good; null if unknown.</summary>
    [JsonIgnore]
    internal DateTimeOffset? LastRead
    {
        get
        {
            var now = Clock.GetUtcNow();
            DateTimeOffset?[] reads = [Verified ? VerificationTimestamp : null, ScrubTimestamp];

            // A future date from a wrong clock does not hide the other reading.
            return reads.Where(read => read <= now).Max() ?? reads.Max();
        }
    }

    /// <summary>The checks of the last verification.</summary>
    public IReadOnlyList<VerificationCheck> Verification
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<VerificationCheck>([]);

    /// <summary>
    /// Inconsistencies of the database that the last full verification found, with their repair: an index that its
    /// application did not keep up to date, a value that its schema does not allow. No page is damaged, and the backup is a true image.
    /// </summary>
    public IReadOnlyList<string> Inconsistencies
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>
    /// The rows that referred to missing rows when the database was backed up, by foreign keys; null if that was not checked. A restore
    /// drill compares the restored database with them.
    /// </summary>
    public IReadOnlyList<ForeignKeyViolation>? ForeignKeyViolations
    {
        get;
        init => field = value is null ? null : ReadableValues.List(value);
    }

    /// <summary>The retention policy of the backup; null for a manual backup.</summary>
    public RetentionPolicy? RetentionPolicy { get; init; }

    /// <summary>Free text from New-SHBackup -Description.</summary>
    public string? Description { get; init; }

    /// <summary>The free map from -Metadata, with the engine's own notes.</summary>
    public IReadOnlyDictionary<string, object?> Metadata
    {
        get;
        init => field = ReadableValues.Map(value) ?? field;
    } = ReadableValues.Map(new Dictionary<string, object?>())!;

    /// <summary>The address of the first copy in an object store; null if there is none. The Python tool recorded only this.</summary>
    public string? CloudUrl
    {
        get => field ?? (Copies is [var first, ..] ? first.Url : null);
        init;
    }

    /// <summary>The kind of store that the first copy is in; null if there is none.</summary>
    public CloudProvider? CloudProvider
    {
        get => field ?? (Copies is [var first, ..] ? first.Provider : null);
        init;
    }

    /// <summary>All known copies in object stores, the first one first.</summary>
    public IReadOnlyList<BackupCopy> Copies
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<BackupCopy>([]);

    /// <summary>The object store that lists this backup; null for a backup in a backup directory.</summary>
    public StoreLocation? Location { get; init; }

    /// <summary>The time that it took to make the backup; null if it was not recorded.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Rows in each ordinary table at the moment of the snapshot; null if they were not counted.</summary>
    public IReadOnlyDictionary<string, long>? RowCounts
    {
        get;
        init => field = ReadableValues.Map(value);
    }

    /// <summary>Whether this is a safety backup: a restore made it of the database that it overwrote.</summary>
    public bool IsSafety { get; init; }

    /// <summary>
    /// Whether this backup was removed, but is kept because other backups build on it and could not be made independent:
    /// it is encrypted, and no secret key was available. Only Get-SHBackup -Tree lists it; it is deleted with the last of them.
    /// </summary>
    public bool IsRetired { get; init; }

    /// <summary>Whether the source was known to be damaged when it was backed up with -Force.</summary>
    public bool IsSourceCorrupt { get; init; }

    /// <summary>Whether the Python tool made this backup.</summary>
    public bool IsPredecessor { get; init; }

    /// <summary>Whether the sidecar of an encrypted backup may show the database's content: its tables and row counts.</summary>
    [JsonIgnore]
    internal bool RevealsContent { get; init; }

    /// <summary>The owner and access of the database file at backup time; null if not recorded, as on Windows.</summary>
    [JsonIgnore]
    internal FileAccessRecord? FileAccess { get; init; }

    /// <summary>The end of the snapshot in the database's own write-ahead log; null if there was none.</summary>
    [JsonIgnore]
    internal WalPosition? WalPosition { get; init; }

    /// <summary>The backup's id and the file name of its database, as questions and progress name it.</summary>
    [JsonIgnore]
    internal string DisplayName => DatabasePath is { Length: > 0 } path ? $"{Id} of {path.Split('/', '\\')[^1]}" : Id;

    /// <summary>The clock that <see cref="Age"/> is measured with.</summary>
    [JsonIgnore]
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The backup alone, without what a command did with it.</summary>
    internal BackupMetadata WithoutResult => GetType() == typeof(BackupMetadata) ? this : new BackupMetadata(this);

    /// <summary>The backup's id, so that an object can stand in for an id.</summary>
    public sealed override string ToString() => Id;
}
