using System.Globalization;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>The name of a segment: <c>seg_000001_000000000042.wal.zst[.age]</c>.</summary>
/// <param name="Timeline">Its timeline, from 1.</param>
/// <param name="Number">Its number in the timeline, from 1 and without holes.</param>
/// <param name="IsEncrypted">Whether it is encrypted.</param>
internal sealed record SegmentName(int Timeline, long Number, bool IsEncrypted)
{
    private const string Beginning = "seg_";
    private const string Suffix = ".wal.zst";
    private const string EncryptedSuffix = ".age";
    private const int TimelineDigits = 6;
    private const int NumberDigits = 12;
    private const int PlainLength = 31;

    /// <summary>The beginning of the names of all segments.</summary>
    public static string BeginningOfAll => Beginning;

    /// <summary>Returns the beginning of the names of a timeline's segments.</summary>
    public static string BeginningOf(int timeline) => string.Create(CultureInfo.InvariantCulture, $"{Beginning}{timeline:D6}_");

    /// <summary>Reads a name; null if it is not that of a segment.</summary>
    public static SegmentName? TryParse(string text)
    {
        var isEncrypted = text.EndsWith(EncryptedSuffix, StringComparison.Ordinal);
        return text.Length == PlainLength + (isEncrypted ? EncryptedSuffix.Length : 0)
            && text.StartsWith(Beginning, StringComparison.Ordinal)
            && text.AsSpan(Beginning.Length + TimelineDigits + 1 + NumberDigits).StartsWith(Suffix)
            && text[Beginning.Length + TimelineDigits] == '_'
            && TryDigits(text.AsSpan(Beginning.Length, TimelineDigits), out var timeline)
            && TryDigits(text.AsSpan(Beginning.Length + TimelineDigits + 1, NumberDigits), out var number)
            ? new SegmentName((int)timeline, number, isEncrypted)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Beginning}{Timeline:D6}_{Number:D12}{Suffix}{(IsEncrypted ? EncryptedSuffix : string.Empty)}");

    private static bool TryDigits(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
