using System.Text.Json;

namespace SignalHarvester.Backup.Catalog;

/// <summary>The fields of a sidecar in the JSON's form, before any of them is checked. See docs/FORMAT.md.</summary>
internal sealed class SidecarFields
{
    public string? BackupId { get; set; }

    public string? BackupType { get; set; }

    public string? Timestamp { get; set; }

    public string? DbPath { get; set; }

    public string? BackupPath { get; set; }

    public string? Compression { get; set; }

    public long? SizeBytes { get; set; }

    public string? Checksum { get; set; }

    public string? WalChecksum { get; set; }

    public string? CloudUrl { get; set; }

    public string? CloudProvider { get; set; }

    public string? RetentionPolicy { get; set; }

    public bool? Verified { get; set; }

    public string? VerificationTimestamp { get; set; }

    public string? Description { get; set; }

    public object? Metadata { get; set; }

    public int? FormatVersion { get; set; }

    public string? Order { get; set; }

    public string? VerificationOrder { get; set; }

    public string? ParentId { get; set; }

    public int? PageSize { get; set; }

    public long? PageCount { get; set; }

    public long? DatabaseSize { get; set; }

    public string? StoredChecksum { get; set; }

    public string? PagesChecksum { get; set; }

    public WalFields? WalPosition { get; set; }

    public AccessFields? FileAccess { get; set; }

    public double? Duration { get; set; }

    public string? VerificationLevel { get; set; }

    public CheckFields?[]? Verification { get; set; }

    public string?[]? Inconsistencies { get; set; }

    public ForeignKeyFields?[]? ForeignKeys { get; set; }

    public string? ScrubTimestamp { get; set; }

    public string? SchemaChecksum { get; set; }

    public Dictionary<string, long>? RowCounts { get; set; }

    public string? Encryption { get; set; }

    public string?[]? Recipients { get; set; }

    public bool? RevealsContent { get; set; }

    public bool? Retired { get; set; }

    public bool? Safety { get; set; }

    public bool? SourceCorrupt { get; set; }

    public CopyFields?[]? Copies { get; set; }

    /// <summary>Fields unknown to this version; a rewrite keeps them.</summary>
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>A place in a write-ahead log.</summary>
    internal sealed class WalFields
    {
        public string? Salts { get; set; }

        public long Frame { get; set; }

        public string? Checksum { get; set; }
    }

    /// <summary>One check of a verification.</summary>
    internal sealed class CheckFields
    {
        public string? Check { get; set; }

        public bool Passed { get; set; }

        public string? Detail { get; set; }
    }

    /// <summary>Rows that refer to missing rows by one foreign key.</summary>
    internal sealed class ForeignKeyFields
    {
        public string? Table { get; set; }

        public string? Columns { get; set; }

        public string? Parent { get; set; }

        public long Rows { get; set; }
    }

    /// <summary>Owner and permissions of the database file.</summary>
    internal sealed class AccessFields
    {
        public uint? UserId { get; set; }

        public string? User { get; set; }

        public uint? GroupId { get; set; }

        public string? Group { get; set; }

        public string? Mode { get; set; }

        public Dictionary<string, byte[]>? Attributes { get; set; }
    }

    /// <summary>One copy in an object store.</summary>
    internal sealed class CopyFields
    {
        public string? Provider { get; set; }

        public string? Url { get; set; }

        public string? Container { get; set; }

        public string? Prefix { get; set; }

        public string? Endpoint { get; set; }

        public string? Region { get; set; }

        public bool? PathStyle { get; set; }

        public string? AccountName { get; set; }

        public string? Checksum { get; set; }

        public string? Uploaded { get; set; }
    }
}
