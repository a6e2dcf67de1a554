using System.Globalization;
using System.Text.RegularExpressions;

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
internal sealed partial record BackupFileName(
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

    /// <summary>Returns the id of a backup made at a moment.</summary>
    public static string IdFor(DateTimeOffset moment) =>
        IdPrefix + moment.UtcDateTime.ToString(IdFormat, CultureInfo.InvariantCulture);

    /// <summary>Whether a text is an id. Anything else never becomes part of a path.</summary>
    public static bool IsId(string? text) => text is not null && IdPattern().IsMatch(text) && TryMoment(text, out _);

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
    public static BackupFileName? TryParse(string? fileName)
    {
        if (fileName is null || NamePattern().Match(fileName) is not { Success: true } match || !IsId(match.Groups["id"].Value))
        {
            return null;
        }

        var type = match.Groups["type"].Value switch
        {
            "full" => BackupType.Full,
            "incremental" => BackupType.Incremental,
            _ => BackupType.Wal,
        };
        var compression = match.Groups["suffix"].Value switch
        {
            ".zst" => CompressionType.Zstd,
            ".gz" => CompressionType.Gzip,
            _ => CompressionType.None,
        };
        var isWal = match.Groups["content"].Value == "wal" || type == BackupType.Wal;
        var generation =
            match.Groups["generation"] is { Success: true } digits ? int.Parse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : 1;
        return new BackupFileName(match.Groups["id"].Value, type, isWal, compression, match.Groups["age"].Success, generation, fileName);
    }

    private static bool TryMoment(string id, out DateTimeOffset moment)
    {
        // The pattern knows no calendar and accepts 31 November.
        var digits = id.AsSpan(IdPrefix.Length);
        return DateTimeOffset.TryParseExact(
            digits, digits.Length == 15 ? "yyyyMMdd'_'HHmmss" : IdFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out moment);
    }

    private static string Suffix(CompressionType compression) => compression switch
    {
        CompressionType.Zstd => ".zst",
        CompressionType.Gzip => ".gz",
        _ => string.Empty,
    };

    [GeneratedRegex(
        @"\Abackup_[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])_([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9](_[0-9]{6})?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex IdPattern();

    [GeneratedRegex(
        @"\A(?<id>backup_[0-9]{8}_[0-9]{6}(_[0-9]{6})?)(_g(?<generation>[0-9]{1,9}))?_(?<type>full|incremental|wal)\.(?<content>db|wal)(?<suffix>\.zst|\.gz)?(?<age>\.age)?\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex NamePattern();
}
