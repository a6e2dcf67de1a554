using System.Globalization;
using System.Numerics;
using System.Text.Json;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The JSON file beside a backup's file, without which it is no backup: the predecessor's fields, and ours in addition. See
/// docs/FORMAT.md.
/// </summary>
internal static class Sidecar
{
    /// <summary>The version of our fields. A sidecar without it is the predecessor's.</summary>
    public const int FormatVersion = 1;

    private const string AgeEncryption = "age";
    private const string NotTold = "not recorded, because the backup is encrypted";

    // https://sqlite.org/limits.html#max_page_count
    private const long LargestPageCount = 4294967294;

    /// <summary>The largest size of a sidecar, in bytes.</summary>
    public const int LargestBytes = 4 << 20;

    // The other half is for everything else.
    private const int LargestRowCounts = LargestBytes / 2;

    /// <summary>Reads a sidecar, or an entry of the predecessor's index, which has the same fields.</summary>
    /// <param name="json">Its bytes.</param>
    /// <param name="id">The id that its file name states.</param>
    /// <param name="directory">The directory that it is in.</param>
    /// <param name="clock">The clock for ages.</param>
    /// <exception cref="BackupException">SidecarInvalid, SidecarHostile.</exception>
    public static BackupMetadata Read(ReadOnlySpan<byte> json, string id, string directory, TimeProvider clock)
    {
        try
        {
            return Read(Parse(json), id, directory, clock);
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            throw Invalid(directory, id, exception.Message.TrimEnd('.'), exception);
        }
    }

    /// <summary>Returns the schema's digest in a sidecar; null if there is none.</summary>
    public static string? SchemaChecksum(ReadOnlySpan<byte> json) => Digest(Parse(json).SchemaChecksum, "schema_checksum");

    /// <summary>Whether the row counts of all tables fit into a sidecar. If not, they are left out: there may be tens of thousands of tables.</summary>
    public static bool HasRoomFor(IReadOnlyDictionary<string, long> rowCounts) =>
        SidecarJson.Write(rowCounts).Length <= LargestRowCounts;

    /// <summary>Writes a backup's description.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="schemaChecksum">The schema's digest, or null to keep what is recorded.</param>
    /// <param name="existing">The present sidecar, whose unknown fields are kept; null for a new one.</param>
    public static byte[] Write(BackupMetadata backup, string? schemaChecksum, byte[]? existing)
    {
        var before = existing is null ? new SidecarFields() : Parse(existing);
        var isSecret = backup is { IsEncrypted: true, RevealsContent: false };
        var fields = new SidecarFields
        {
            BackupId = backup.Id,
            BackupType = Lower(backup.Type),
            Timestamp = Iso(backup.Timestamp),
            Order = Iso(backup.Order) is var order && order != Iso(backup.Timestamp) ? order : null,
            DbPath = backup.DatabasePath,
            BackupPath = backup.BackupPath,
            Compression = Lower(backup.Compression),
            SizeBytes = backup.Size,
            Checksum = backup.Checksum,
            PagesChecksum = backup.PagesChecksum,
            WalChecksum = backup.WalChecksum,
            WalPosition = backup.WalPosition is { } position ? Fields(position) : null,
            CloudUrl = backup.CloudUrl,
            CloudProvider = backup.CloudProvider is { } provider ? Lower(provider) : null,
            Copies = backup.Copies.Count == 0 ? null : [.. backup.Copies.Select(Fields)],
            RetentionPolicy = backup.RetentionPolicy is { } policy ? Lower(policy) : null,
            Verified = backup.Verified,
            VerificationTimestamp = backup.VerificationTimestamp is { } moment ? Iso(moment) : null,
            VerificationOrder =
                backup is { VerificationTimestamp: { } verified, VerificationOrder: { } place } && Iso(place) != Iso(verified) ? Iso(place) : null,
            Description = backup.Description,
            Metadata = backup.Metadata,
            FormatVersion = backup.IsPredecessor ? null : FormatVersion,
            ParentId = backup.ParentId,
            PageSize = backup.PageSize,
            PageCount = backup.PageCount,
            DatabaseSize = backup.DatabaseSize,
            StoredChecksum = backup.StoredChecksum,
            FileAccess = backup.FileAccess is { } access ? Fields(access, isSecret) : null,
            Duration = backup.Duration?.TotalSeconds,
            VerificationLevel = Lower(backup.VerificationLevel),
            Verification = [.. backup.Verification.Select(check => Fields(check, isSecret))],
            Inconsistencies = backup.Inconsistencies.Count == 0 ? null : isSecret ? [NotTold] : [.. backup.Inconsistencies],
            ForeignKeys = isSecret || backup.ForeignKeyViolations is null ? null : [.. backup.ForeignKeyViolations.Select(Fields)],
            ScrubTimestamp = backup.ScrubTimestamp is { } scrubbed ? Iso(scrubbed) : null,
            SchemaChecksum = isSecret ? null : schemaChecksum ?? before.SchemaChecksum,
            RowCounts = isSecret || backup.RowCounts is null || !HasRoomFor(backup.RowCounts) ? null : Counts(backup.RowCounts),
            Encryption = backup.IsEncrypted ? AgeEncryption : null,
            Recipients = backup.Recipients.Count == 0 ? null : [.. backup.Recipients],
            RevealsContent = backup is { IsEncrypted: true, RevealsContent: true } ? true : null,
            Retired = backup.IsRetired ? true : null,
            Safety = backup.IsSafety ? true : null,
            SourceCorrupt = backup.IsSourceCorrupt ? true : null,
            Unknown = before.Unknown,
        };
        return [.. SidecarJson.Write(fields), (byte)'\n'];
    }

    /// <summary>Writes the description of a new backup, once it is certain that it can be read back.</summary>
    /// <exception cref="BackupException">InvalidArgument: notes too large or too deep.</exception>
    public static byte[] WriteReadable(BackupMetadata backup, string? schemaChecksum)
    {
        try
        {
            var bytes = Write(backup, schemaChecksum, existing: null);
            if (bytes.Length <= LargestBytes)
            {
                _ = Read(bytes, backup.Id, backup.BackupDirectory, TimeProvider.System);
                return bytes;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or BackupException)
        {
            throw Unreadable(backup, exception);
        }

        throw Unreadable(backup, null);
    }

    private static BackupException Unreadable(BackupMetadata backup, Exception? inner) => BackupException.InvalidArgument(
        backup.Id,
        "The backup was not kept, because its description could not be read back: -Description and -Metadata together must be below 2 MiB, and -Metadata must be valid text of at most 60 levels.",
        inner);

    private static Dictionary<string, long> Counts(IReadOnlyDictionary<string, long> rowCounts) => new(rowCounts, StringComparer.Ordinal);

    private static SidecarFields Parse(ReadOnlySpan<byte> json)
    {
        var text = json.StartsWith("\uFEFF"u8) ? json[3..] : json;
        return SidecarJson.Read(text);
    }

    private static BackupMetadata Read(SidecarFields fields, string id, string directory, TimeProvider clock)
    {
        var stated = fields.BackupId ?? throw Invalid(directory, id, "it has no backup_id", null);
        if (stated != id)
        {
            throw Hostile(directory, id, $"its backup_id '{Shown(stated)}' differs from '{id}' in its file name");
        }

        if (fields.ParentId is { } parent && !BackupFileName.IsId(parent))
        {
            throw Hostile(directory, id, $"its parent_id '{Shown(parent)}' is not a backup id");
        }

        var backupPath = fields.BackupPath ?? throw Invalid(directory, id, "it has no backup_path", null);
        var file = BackupFileName.TryParse(LastSegment(backupPath));
        if (file is null || file.Id != id)
        {
            throw Hostile(directory, id, $"its backup_path '{Shown(backupPath)}' does not name a file of this backup");
        }

        if ((fields.SizeBytes ?? throw Invalid(directory, id, "it has no size_bytes", null)) < 0 || fields.DatabaseSize < 0 || fields.PageSize < 0
            || fields.PageCount < 0)
        {
            throw Hostile(directory, id, "one of its sizes is below zero");
        }

        if (fields.PageSize is { } pageSize && !(BitOperations.IsPow2(pageSize) && pageSize is >= 512 and <= 65536))
        {
            throw Hostile(directory, id, "its page_size is not one of SQLite's");
        }

        if (fields.PageCount > LargestPageCount
            || (fields is { PageSize: not null, PageCount: not null, DatabaseSize: not null } && fields.DatabaseSize != fields.PageSize * fields.PageCount))
        {
            throw Hostile(directory, id, "its page_count does not fit its other sizes");
        }

        _ = Digest(fields.SchemaChecksum, "schema_checksum");
        CloudProvider? provider = Enumeration(typeof(CloudProvider), fields.CloudProvider, "cloud_provider") is CloudProvider known ? known : null;
        BackupCopy[] copies = [.. (fields.Copies ?? []).OfType<SidecarFields.CopyFields>().Select(copy => Copy(copy, directory, id))];

        // Ours also belong to a recorded copy; the predecessor recorded only these two.
        var isPredecessors = copies.Length == 0 || (fields.CloudUrl is not null && !Array.Exists(copies, copy => copy.Url == fields.CloudUrl));
        return new BackupMetadata
        {
            Id = id,
            Type = Enumeration(typeof(BackupType), fields.BackupType, "backup_type") is BackupType type ? type : file.Type,
            Timestamp = Moment(fields.Timestamp) ?? BackupFileName.MomentOf(id),
            Order = Moment(fields.Order) ?? default,
            DatabasePath = fields.DbPath,
            BackupPath = Path.Combine(directory, file.Text),
            BackupDirectory = directory,
            Compression = Enumeration(typeof(CompressionType), fields.Compression, "compression") is CompressionType compression
                ? compression
                : file.Compression,
            Size = fields.SizeBytes.Value,
            DatabaseSize = fields.DatabaseSize,
            PageSize = fields.PageSize,
            PageCount = fields.PageCount,
            Checksum = Digest(fields.Checksum, "checksum"),
            StoredChecksum = Digest(fields.StoredChecksum, "stored_checksum"),
            PagesChecksum = Digest(fields.PagesChecksum, "pages_checksum"),
            WalChecksum = Digest(fields.WalChecksum, "wal_checksum"),
            WalPosition = fields.WalPosition is { } place ? new WalPosition(place.Salts!, place.Frame, place.Checksum!) : null,
            ParentId = fields.ParentId,
            Verified = fields.Verified ?? false,
            VerificationLevel = Enumeration(typeof(VerificationLevel), fields.VerificationLevel, "verification_level") is VerificationLevel level
                ? level
                : VerificationLevel.None,
            VerificationTimestamp = Moment(fields.VerificationTimestamp),
            VerificationOrder = Moment(fields.VerificationOrder),
            ScrubTimestamp = Moment(fields.ScrubTimestamp),
            Verification = [.. (fields.Verification ?? []).OfType<SidecarFields.CheckFields>().Select(
                check => new VerificationCheck(check.Check ?? string.Empty, check.Passed, check.Detail ?? string.Empty))],
            Inconsistencies = [.. (fields.Inconsistencies ?? []).OfType<string>()],
            ForeignKeyViolations = fields.ForeignKeys is { } keys ? [.. keys.OfType<SidecarFields.ForeignKeyFields>().Select(Violation)] : null,
            RetentionPolicy = Enumeration(typeof(RetentionPolicy), fields.RetentionPolicy, "retention_policy") is RetentionPolicy policy ? policy : null,
            Description = fields.Description,
            Metadata = fields.Metadata as IReadOnlyDictionary<string, object?> ?? new Dictionary<string, object?>(),
            CloudUrl = isPredecessors ? fields.CloudUrl : null,
            CloudProvider = isPredecessors ? provider : null,
            Copies = copies,
            FileAccess = fields.FileAccess is { } access ? Access(access) : null,
            Duration = fields.Duration is >= 0 and < 1e9 ? TimeSpan.FromSeconds(fields.Duration.Value) : null,
            RowCounts = fields.RowCounts,
            IsEncrypted = file.IsEncrypted,
            Recipients = [.. (fields.Recipients ?? []).Select(Recipient)],
            RevealsContent = fields.RevealsContent ?? false,
            IsRetired = fields.Retired ?? false,
            IsSafety = fields.Safety ?? false,
            IsSourceCorrupt = fields.SourceCorrupt ?? false,
            IsPredecessor = fields.FormatVersion is null,
            Clock = clock,
        };
    }

    /// <summary>The findings of a check of an encrypted backup's content may name tables and count rows, so they are left out.</summary>
    private static SidecarFields.CheckFields Fields(VerificationCheck check, bool isSecret) => new()
    {
        Check = check.Check,
        Passed = check.Passed,
        Detail = isSecret && check.Check is (VerificationChecks.Integrity or VerificationChecks.Schema or VerificationChecks.RowCounts)
            ? NotTold
            : check.Detail,
    };

    private static SidecarFields.ForeignKeyFields Fields(ForeignKeyViolation key) =>
        new() { Table = key.Table, Columns = key.Columns, Parent = key.Parent, Rows = key.Rows };

    private static ForeignKeyViolation Violation(SidecarFields.ForeignKeyFields key) => new()
    {
        Table = key.Table ?? string.Empty,
        Columns = key.Columns ?? string.Empty,
        Parent = key.Parent ?? string.Empty,
        Rows = key.Rows,
    };

    private static SidecarFields.WalFields Fields(WalPosition place) => new() { Salts = place.Salts, Frame = place.Frame, Checksum = place.Checksum };

    private static string Recipient(string? text) =>
        text is not null && X25519Recipient.TryParse(text) is not null ? text : throw new FormatException("one of its recipients is not an age public key");

    /// <summary>The owner of a file says nothing about its content; attributes that users set may.</summary>
    private static SidecarFields.AccessFields Fields(FileAccessRecord access, bool isSecret)
    {
        var attributes = access.Attributes.Where(attribute => !isSecret || !ExtendedAttributes.IsUsers(attribute.Key)).ToDictionary(StringComparer.Ordinal);
        return new SidecarFields.AccessFields
        {
            UserId = access.UserId,
            User = access.User,
            GroupId = access.GroupId,
            Group = access.Group,
            Mode = Convert.ToString((int)access.Mode, 8).PadLeft(4, '0'),
            Attributes = attributes.Count == 0 ? null : attributes,
        };
    }

    /// <summary>Reads the sidecar's record, if valid. It is trusted only as far as a restore can check it.</summary>
    private static FileAccessRecord Access(SidecarFields.AccessFields access)
    {
        if (access is not { UserId: < uint.MaxValue, GroupId: < uint.MaxValue, Mode: { Length: 3 or 4 } mode }
            || !mode.All(digit => digit is >= '0' and <= '7'))
        {
            throw new FormatException("its file_access has no valid owner, group and mode");
        }

        if (IsNoAccount(access.User) || IsNoAccount(access.Group))
        {
            throw new FormatException("its file_access names an impossible account");
        }

        return new FileAccessRecord(
            access.UserId.Value,
            access.User,
            access.GroupId.Value,
            access.Group,
            (UnixFileMode)(Convert.ToInt32(mode, 8) & 0b111_111_111),
            Known(access.Attributes));
    }

    private static Dictionary<string, byte[]> Known(Dictionary<string, byte[]>? attributes)
    {
        var known = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (name, value) in attributes ?? [])
        {
            if (ExtendedAttributes.IsKnown(name))
            {
                known.Add(name, value);
            }
        }

        return known;
    }

    /// <summary>The name becomes part of a command that somebody may run.</summary>
    private static bool IsNoAccount(string? name) =>
        name is not null && (name.Length is 0 or > 256 || name[0] == '-' || name.Contains(':', StringComparison.Ordinal) || name.Any(char.IsControl));

    private static SidecarFields.CopyFields Fields(BackupCopy copy) => new()
    {
        Provider = Lower(copy.Provider),
        Url = copy.Url,
        Container = copy.Container,
        Prefix = copy.Prefix,
        Endpoint = copy.Endpoint,
        Region = copy.Region,
        PathStyle = copy.UsePathStyle ? true : null,
        AccountName = copy.AccountName,
        Checksum = copy.Checksum,
        Uploaded = Iso(copy.Uploaded),
    };

    private static BackupCopy Copy(SidecarFields.CopyFields copy, string directory, string id) => Copy(
        copy,
        Enumeration(typeof(CloudProvider), copy.Provider, "provider") is CloudProvider provider
            ? provider
            : throw Invalid(directory, id, "one of its copies has no provider", null),
        directory,
        id);

    private static BackupCopy Copy(SidecarFields.CopyFields copy, CloudProvider provider, string directory, string id) => new()
    {
        Provider = provider,
        Url = copy.Url ?? throw Invalid(directory, id, "one of its copies has no url", null),
        Container = copy.Container ?? throw Invalid(directory, id, "one of its copies has no container", null),
        Prefix = StoreLocation.KeyPrefix(provider, copy.PathStyle ?? false, copy.Prefix ?? string.Empty),
        Endpoint = copy.Endpoint,
        Region = copy.Region,
        UsePathStyle = copy.PathStyle ?? false,
        AccountName = copy.AccountName,
        Checksum = copy.Checksum,
        Uploaded = Moment(copy.Uploaded) ?? DateTimeOffset.UnixEpoch,
    };

    private static string Iso(DateTimeOffset moment) => JsonValues.Iso(moment);

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string LastSegment(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    private static string Shown(string text) => text.Length <= 100 ? text : text[..100] + "…";

    // The predecessor wrote an empty string for a missing value.
    private static string? Digest(string? text, string name) =>
        string.IsNullOrEmpty(text) ? null
        : text.Length == 64 && IsEach(text, char.IsAsciiHexDigit) ? text.ToLowerInvariant()
        : throw new FormatException($"its {name} is not a SHA-256 in hex");

    private static bool IsEach(string text, Func<char, bool> isAllowed)
    {
        foreach (var character in text)
        {
            if (!isAllowed(character))
            {
                return false;
            }
        }

        return true;
    }

    // Neither generic nor of a nullable type: code for values of another assembly's types cannot be compiled ahead.
    private static object? Enumeration(Type type, string? text, string name) =>
        string.IsNullOrEmpty(text) ? null
        : char.IsAsciiLetter(text[0]) && IsEach(text, char.IsAsciiLetterOrDigit) && Enum.TryParse(type, text, ignoreCase: true, out var value) ? value
        : throw new FormatException($"its {name} '{Shown(text)}' is unknown");

    private static DateTimeOffset? Moment(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUniversalTime();

    private static BackupException Invalid(string directory, string id, string reason, Exception? inner)
    {
        var path = PathOf(directory, id);
        return new BackupException(
            BackupErrorId.SidecarInvalid, path,
            $"The sidecar '{path}' cannot be used: {reason}. The backup file beside it is untouched, and Restore-SHBackup -LiteralPath can restore it; correct the sidecar, or fetch it from a copy.",
            inner);
    }

    private static BackupException Hostile(string directory, string id, string reason)
    {
        var path = PathOf(directory, id);
        return new BackupException(
            BackupErrorId.SidecarHostile, path,
            $"The sidecar '{path}' was rejected: {reason}. Somebody changed or forged it; nothing was read, written or deleted through it.");
    }

    private static string PathOf(string directory, string id) => Path.Combine(directory, id + BackupFileName.SidecarSuffix);
}
