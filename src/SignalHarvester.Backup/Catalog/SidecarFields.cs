using System.Text.Json;
using System.Text.Json.Serialization;

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

    public JsonElement? Metadata { get; set; }

    public int? FormatVersion { get; set; }

    public string? Order { get; set; }

    public string? VerificationOrder { get; set; }

    public string? ParentId { get; set; }

    public int? PageSize { get; set; }

    public long? PageCount { get; set; }

    public long? DatabaseSize { get; set; }

    public string? StoredChecksum { get; set; }

    public string? PagesChecksum { get; set; }

    public WalPosition? WalPosition { get; set; }

    public AccessFields? FileAccess { get; set; }

    public double? Duration { get; set; }

    public string? VerificationLevel { get; set; }

    public CheckFields?[]? Verification { get; set; }

    public string?[]? Inconsistencies { get; set; }

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
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>One check of a verification.</summary>
    internal sealed record CheckFields(string? Check, bool Passed, string? Detail);

    /// <summary>Owner and permissions of the database file.</summary>
    internal sealed record AccessFields(uint? UserId, string? User, uint? GroupId, string? Group, string? Mode, Dictionary<string, byte[]>? Attributes);

    /// <summary>One copy in an object store.</summary>
    internal sealed record CopyFields(
        string? Provider,
        string? Url,
        string? Container,
        string? Prefix,
        string? Endpoint,
        string? Region,
        bool? PathStyle,
        string? AccountName,
        string? Checksum,
        string? Uploaded);
}
