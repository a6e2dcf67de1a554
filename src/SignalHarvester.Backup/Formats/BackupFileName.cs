using System.Globalization;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// The grammar of ids and file names: <c>backup_yyyyMMdd_HHmmss[_ffffff][_gN]_{full.db|incremental.wal|wal.wal}[.zst|.gz][.age]</c>;
/// the predecessor also wrote <c>_incremental.db</c> (a full copy) and <c>_wal.db</c> (a raw WAL).
/// </summary>
/// <param name="Id">The backup's id.</param>
/// <param name="Type">The kind of backup that the name states.</param>
/// <param name="IsWal">Whether the content is a WAL rather than a database image.</param>
/// <param name="Compression">The compression that the suffix states.</param>
/// <param name="IsEncrypted">Whether the name says that it is encrypted.</param>
/// <param name="Generation">1 for the file as first made; higher if it was folded or re-encrypted since.</param>
/// <param name="Text">The whole file name.</param>
internal sealed record BackupFileName(
    string Id, BackupType Type, bool IsWal, CompressionType Compression, bool IsEncrypted, int Generation, string Text)
{
    /// <summary>The end of an unfinished file's name.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>The end of an encrypted file's name.</summary>
    public const string EncryptedSuffix = ".age";

    /// <summary>The end of a sidecar's name.</summary>
    public const string SidecarSuffix = ".json";

    private const string IdPrefix = "backup_";
    private const string IdFormat = "yyyyMMdd'_'HHmmss'_'ffffff";
    private const int ShortId = 22;
    private const int LongId = 29;
    private const int MostGenerationDigits = 9;

    /// <summary>Returns the id of a backup made at a moment.</summary>
    public static string IdFor(DateTimeOffset moment) =>
        IdPrefix + moment.UtcDateTime.ToString(IdFormat, CultureInfo.InvariantCulture);

    /// <summary>Whether a text is an id. Anything else never becomes part of a path.</summary>
    public static bool IsId(ReadOnlySpan<char> text) => TryMoment(text, out _);

    /// <summary>Whether a file's name is that of a sidecar.</summary>
    public static bool IsSidecar(string fileName) =>
        fileName.EndsWith(SidecarSuffix, StringComparison.Ordinal) && IsId(fileName.AsSpan(0, fileName.Length - SidecarSuffix.Length));

    /// <summary>Returns the moment that an id states. The sidecar's timestamp has precedence.</summary>
    public static DateTimeOffset MomentOf(string id) =>
        TryMoment(id, out var moment) ? moment : throw new FormatException($"'{id}' states no moment.");

    /// <summary>Returns the name of a backup's file.</summary>
    public static BackupFileName For(string id, BackupType type, CompressionType compression, bool encrypted = false, int generation = 1)
    {
        var mark = generation == 1 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"_g{generation}");
        var content = type switch
        {
            BackupType.Full => "full.db",
            BackupType.Incremental => "incremental.wal",
            _ => "wal.wal",
        };
        return new BackupFileName(
            id, type, type != BackupType.Full, compression, encrypted, generation,
            $"{id}{mark}_{content}{Suffix(compression)}{(encrypted ? EncryptedSuffix : string.Empty)}");
    }

    /// <summary>Reads a file name; null if it is not one of ours.</summary>
    public static BackupFileName? TryParse(string? fileName) => Parse(fileName) is { } parts
        ? new BackupFileName(
            fileName![..parts.IdLength], parts.Type, parts.IsWal, parts.Compression, parts.IsEncrypted, parts.Generation, fileName)
        : null;

    /// <summary>Whether a file name is one of ours, and its content a WAL.</summary>
    public static bool IsWalName(ReadOnlySpan<char> fileName) => Parse(fileName) is { IsWal: true };

    private static Parts? Parse(ReadOnlySpan<char> rest)
    {
        var idLength = rest.Length > LongId && IsId(rest[..LongId]) ? LongId : ShortId;
        if (rest.Length <= idLength || !IsId(rest[..idLength]))
        {
            return null;
        }

        rest = rest[idLength..];
        var generation = 1;
        if (Skip(ref rest, "_g"))
        {
            var digits = rest.IndexOf('_');
            if (digits is < 1 or > MostGenerationDigits || !TryNumber(rest[..digits], out generation))
            {
                return null;
            }

            rest = rest[digits..];
        }

        BackupType type;
        if (Skip(ref rest, "_full."))
        {
            type = BackupType.Full;
        }
        else if (Skip(ref rest, "_incremental."))
        {
            type = BackupType.Incremental;
        }
        else if (Skip(ref rest, "_wal."))
        {
            type = BackupType.Wal;
        }
        else
        {
            return null;
        }

        var isWal = Skip(ref rest, "wal");
        if (!isWal && !Skip(ref rest, "db"))
        {
            return null;
        }

        var compression = Skip(ref rest, ".zst") ? CompressionType.Zstd : Skip(ref rest, ".gz") ? CompressionType.Gzip : CompressionType.None;
        var isEncrypted = Skip(ref rest, EncryptedSuffix);
        return rest.IsEmpty ? new Parts(idLength, type, isWal || type == BackupType.Wal, compression, isEncrypted, generation) : null;
    }

    private static bool Skip(ref ReadOnlySpan<char> text, string beginning)
    {
        if (!text.StartsWith(beginning, StringComparison.Ordinal))
        {
            return false;
        }

        text = text[beginning.Length..];
        return true;
    }

    // By hand, because a listing reads tens of thousands of names.
    private static bool TryMoment(ReadOnlySpan<char> id, out DateTimeOffset moment)
    {
        moment = default;
        var microseconds = 0;
        if (id.Length is not (ShortId or LongId) || !id.StartsWith(IdPrefix, StringComparison.Ordinal) || id[15] != '_'
            || !TryNumber(id[7..11], out var year) || !TryNumber(id[11..13], out var month) || !TryNumber(id[13..15], out var day)
            || !TryNumber(id[16..18], out var hour) || !TryNumber(id[18..20], out var minute) || !TryNumber(id[20..22], out var second)
            || (id.Length == LongId && (id[22] != '_' || !TryNumber(id[23..], out microseconds)))
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        moment = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero).AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<char> digits, out int number)
    {
        number = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            number = (number * 10) + (digit - '0');
        }

        return true;
    }

    private static string Suffix(CompressionType compression) => compression switch
    {
        CompressionType.Zstd => ".zst",
        CompressionType.Gzip => ".gz",
        _ => string.Empty,
    };

    private readonly record struct Parts(int IdLength, BackupType Type, bool IsWal, CompressionType Compression, bool IsEncrypted, int Generation);
}
