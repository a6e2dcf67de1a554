using System.Text.Encodings.Web;
using System.Text.Json;

namespace SignalHarvester.Backup.Catalog;

/// <summary>The JSON of sidecars. A known field that is there twice is an error; so is any name that is there twice in a value that is kept.</summary>
internal static class SidecarJson
{
    private static readonly JsonWriterOptions Readable = new()
    {
        Indented = true,
        MaxDepth = 64,
        // People and JSON parsers read it; nobody pastes it into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonShape<SidecarFields.WalFields> Wal = new(
        () => new(),
        new("salts", (ref json, to) => to.Salts = json.GetString(), (json, of) => json.WriteStringValue(of.Salts)),
        new("frame", (ref json, to) => to.Frame = json.GetInt64(), (json, of) => json.WriteNumberValue(of.Frame), mayBeNull: false),
        new("checksum", (ref json, to) => to.Checksum = json.GetString(), (json, of) => json.WriteStringValue(of.Checksum)));

    private static readonly JsonShape<SidecarFields.AccessFields> Access = new(
        () => new(),
        new("user_id", (ref json, to) => to.UserId = json.GetUInt32(), (json, of) => json.WriteValue(of.UserId)),
        new("user", (ref json, to) => to.User = json.GetString(), (json, of) => json.WriteStringValue(of.User)),
        new("group_id", (ref json, to) => to.GroupId = json.GetUInt32(), (json, of) => json.WriteValue(of.GroupId)),
        new("group", (ref json, to) => to.Group = json.GetString(), (json, of) => json.WriteStringValue(of.Group)),
        new("mode", (ref json, to) => to.Mode = json.GetString(), (json, of) => json.WriteStringValue(of.Mode)),
        new(
            "attributes", (ref json, to) => to.Attributes = JsonValues.ReadMap(ref json, (ref json) => json.GetBytesFromBase64()),
            (json, of) => json.WriteMap(of.Attributes, value => json.WriteBase64StringValue(value))));

    private static readonly JsonShape<SidecarFields.CheckFields> Check = new(
        () => new(),
        new("check", (ref json, to) => to.Check = json.GetString(), (json, of) => json.WriteStringValue(of.Check)),
        new("passed", (ref json, to) => to.Passed = json.GetBoolean(), (json, of) => json.WriteBooleanValue(of.Passed), mayBeNull: false),
        new("detail", (ref json, to) => to.Detail = json.GetString(), (json, of) => json.WriteStringValue(of.Detail)));

    private static readonly JsonShape<SidecarFields.ForeignKeyFields> ForeignKey = new(
        () => new(),
        new("table", (ref json, to) => to.Table = json.GetString(), (json, of) => json.WriteStringValue(of.Table)),
        new("columns", (ref json, to) => to.Columns = json.GetString(), (json, of) => json.WriteStringValue(of.Columns)),
        new("parent", (ref json, to) => to.Parent = json.GetString(), (json, of) => json.WriteStringValue(of.Parent)),
        new("rows", (ref json, to) => to.Rows = json.GetInt64(), (json, of) => json.WriteNumberValue(of.Rows), mayBeNull: false));

    private static readonly JsonShape<SidecarFields.CopyFields> Copy = new(
        () => new(),
        new("provider", (ref json, to) => to.Provider = json.GetString(), (json, of) => json.WriteStringValue(of.Provider)),
        new("url", (ref json, to) => to.Url = json.GetString(), (json, of) => json.WriteStringValue(of.Url)),
        new("container", (ref json, to) => to.Container = json.GetString(), (json, of) => json.WriteStringValue(of.Container)),
        new("prefix", (ref json, to) => to.Prefix = json.GetString(), (json, of) => json.WriteStringValue(of.Prefix)),
        new("endpoint", (ref json, to) => to.Endpoint = json.GetString(), (json, of) => json.WriteStringValue(of.Endpoint)),
        new("region", (ref json, to) => to.Region = json.GetString(), (json, of) => json.WriteStringValue(of.Region)),
        new("path_style", (ref json, to) => to.PathStyle = json.GetBoolean(), (json, of) => json.WriteValue(of.PathStyle)),
        new("account_name", (ref json, to) => to.AccountName = json.GetString(), (json, of) => json.WriteStringValue(of.AccountName)),
        new("checksum", (ref json, to) => to.Checksum = json.GetString(), (json, of) => json.WriteStringValue(of.Checksum)),
        new("uploaded", (ref json, to) => to.Uploaded = json.GetString(), (json, of) => json.WriteStringValue(of.Uploaded)));

    private static readonly JsonShape<SidecarFields> Sidecar = new(
        () => new(),
        new("backup_id", (ref json, to) => to.BackupId = json.GetString(), (json, of) => json.WriteStringValue(of.BackupId)),
        new("backup_type", (ref json, to) => to.BackupType = json.GetString(), (json, of) => json.WriteStringValue(of.BackupType)),
        new("timestamp", (ref json, to) => to.Timestamp = json.GetString(), (json, of) => json.WriteStringValue(of.Timestamp)),
        new("db_path", (ref json, to) => to.DbPath = json.GetString(), (json, of) => json.WriteStringValue(of.DbPath)),
        new("backup_path", (ref json, to) => to.BackupPath = json.GetString(), (json, of) => json.WriteStringValue(of.BackupPath)),
        new("compression", (ref json, to) => to.Compression = json.GetString(), (json, of) => json.WriteStringValue(of.Compression)),
        new("size_bytes", (ref json, to) => to.SizeBytes = json.GetInt64(), (json, of) => json.WriteValue(of.SizeBytes)),
        new("checksum", (ref json, to) => to.Checksum = json.GetString(), (json, of) => json.WriteStringValue(of.Checksum)),
        new("wal_checksum", (ref json, to) => to.WalChecksum = json.GetString(), (json, of) => json.WriteStringValue(of.WalChecksum)),
        new("cloud_url", (ref json, to) => to.CloudUrl = json.GetString(), (json, of) => json.WriteStringValue(of.CloudUrl)),
        new("cloud_provider", (ref json, to) => to.CloudProvider = json.GetString(), (json, of) => json.WriteStringValue(of.CloudProvider)),
        new("retention_policy", (ref json, to) => to.RetentionPolicy = json.GetString(), (json, of) => json.WriteStringValue(of.RetentionPolicy)),
        new("verified", (ref json, to) => to.Verified = json.GetBoolean(), (json, of) => json.WriteValue(of.Verified)),
        new(
            "verification_timestamp", (ref json, to) => to.VerificationTimestamp = json.GetString(),
            (json, of) => json.WriteStringValue(of.VerificationTimestamp)),
        new("description", (ref json, to) => to.Description = json.GetString(), (json, of) => json.WriteStringValue(of.Description)),
        new("metadata", (ref json, to) => to.Metadata = JsonValues.ReadAny(ref json), (json, of) => json.WriteAny(of.Metadata)),
        new("format_version", (ref json, to) => to.FormatVersion = json.GetInt32(), (json, of) => json.WriteValue(of.FormatVersion)),
        new("order", (ref json, to) => to.Order = json.GetString(), (json, of) => json.WriteStringValue(of.Order)),
        new("verification_order", (ref json, to) => to.VerificationOrder = json.GetString(), (json, of) => json.WriteStringValue(of.VerificationOrder)),
        new("parent_id", (ref json, to) => to.ParentId = json.GetString(), (json, of) => json.WriteStringValue(of.ParentId)),
        new("page_size", (ref json, to) => to.PageSize = json.GetInt32(), (json, of) => json.WriteValue(of.PageSize)),
        new("page_count", (ref json, to) => to.PageCount = json.GetInt64(), (json, of) => json.WriteValue(of.PageCount)),
        new("database_size", (ref json, to) => to.DatabaseSize = json.GetInt64(), (json, of) => json.WriteValue(of.DatabaseSize)),
        new("stored_checksum", (ref json, to) => to.StoredChecksum = json.GetString(), (json, of) => json.WriteStringValue(of.StoredChecksum)),
        new("pages_checksum", (ref json, to) => to.PagesChecksum = json.GetString(), (json, of) => json.WriteStringValue(of.PagesChecksum)),
        new("wal_position", (ref json, to) => to.WalPosition = Wal.Read(ref json), (json, of) => Wal.Write(json, of.WalPosition)),
        new("file_access", (ref json, to) => to.FileAccess = Access.Read(ref json), (json, of) => Access.Write(json, of.FileAccess)),
        new("duration", (ref json, to) => to.Duration = json.GetDouble(), (json, of) => json.WriteValue(of.Duration)),
        new("verification_level", (ref json, to) => to.VerificationLevel = json.GetString(), (json, of) => json.WriteStringValue(of.VerificationLevel)),
        new(
            "verification", (ref json, to) => to.Verification = JsonValues.ReadObjects(ref json, Check),
            (json, of) => json.WriteObjects(of.Verification, Check)),
        new("inconsistencies", (ref json, to) => to.Inconsistencies = JsonValues.ReadTexts(ref json), (json, of) => json.WriteTexts(of.Inconsistencies)),
        new(
            "foreign_keys", (ref json, to) => to.ForeignKeys = JsonValues.ReadObjects(ref json, ForeignKey),
            (json, of) => json.WriteObjects(of.ForeignKeys, ForeignKey)),
        new("scrub_timestamp", (ref json, to) => to.ScrubTimestamp = json.GetString(), (json, of) => json.WriteStringValue(of.ScrubTimestamp)),
        new("schema_checksum", (ref json, to) => to.SchemaChecksum = json.GetString(), (json, of) => json.WriteStringValue(of.SchemaChecksum)),
        new(
            "row_counts", (ref json, to) => to.RowCounts = JsonValues.ReadMap(ref json, (ref json) => json.GetInt64()),
            (json, of) => json.WriteMap(of.RowCounts, json.WriteNumberValue)),
        new("encryption", (ref json, to) => to.Encryption = json.GetString(), (json, of) => json.WriteStringValue(of.Encryption)),
        new("recipients", (ref json, to) => to.Recipients = JsonValues.ReadTexts(ref json), (json, of) => json.WriteTexts(of.Recipients)),
        new("reveals_content", (ref json, to) => to.RevealsContent = json.GetBoolean(), (json, of) => json.WriteValue(of.RevealsContent)),
        new("retired", (ref json, to) => to.Retired = json.GetBoolean(), (json, of) => json.WriteValue(of.Retired)),
        new("safety", (ref json, to) => to.Safety = json.GetBoolean(), (json, of) => json.WriteValue(of.Safety)),
        new("source_corrupt", (ref json, to) => to.SourceCorrupt = json.GetBoolean(), (json, of) => json.WriteValue(of.SourceCorrupt)),
        new(
            "copies", (ref json, to) => to.Copies = JsonValues.ReadObjects(ref json, Copy),
            (json, of) => json.WriteObjects(of.Copies, Copy)));

    /// <summary>Reads a sidecar.</summary>
    /// <exception cref="JsonException">It is not the JSON of one.</exception>
    public static SidecarFields Read(ReadOnlySpan<byte> text)
    {
        var json = new Utf8JsonReader(text);
        _ = json.Read();
        var fields = Sidecar.Read(ref json, KeepUnknown) ?? throw new JsonException("it is not a JSON object");

        // Whatever follows is an error, which the reader throws.
        _ = json.Read();
        return fields;
    }

    /// <summary>Writes a sidecar.</summary>
    /// <exception cref="InvalidOperationException">A value is too deep.</exception>
    public static byte[] Write(SidecarFields fields) => Written(json => Sidecar.Write(json, fields, WriteUnknown));

    /// <summary>Writes row counts as in a sidecar.</summary>
    public static byte[] Write(IReadOnlyDictionary<string, long> rowCounts) => Written(json => json.WriteMap(rowCounts, json.WriteNumberValue));

    private static byte[] Written(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Readable))
        {
            write(json);
        }

        return bytes.ToArray();
    }

    private static void KeepUnknown(ref Utf8JsonReader json, SidecarFields to)
    {
        var name = json.GetString()!;
        _ = json.Read();

        // A rewrite keeps it, so it must be valid text, with no name twice.
        var ahead = json;
        _ = JsonValues.ReadAny(ref ahead);
        var value = JsonElement.ParseValue(ref json);
        to.Unknown ??= new(StringComparer.Ordinal);
        if (!to.Unknown.TryAdd(name, value))
        {
            throw new JsonException($"its {name} is there twice");
        }
    }

    private static void WriteUnknown(Utf8JsonWriter json, SidecarFields of)
    {
        foreach (var (name, value) in of.Unknown ?? [])
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }
}
