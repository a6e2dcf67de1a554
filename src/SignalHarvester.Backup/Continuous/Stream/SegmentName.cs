using System.Globalization;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>
/// The name of a segment: <c>seg_000001_000000000042.seg</c>. It is the same for a plain segment and an encrypted one, because the name is the fence
/// between two writers, of which only one may encrypt.
/// </summary>
/// <param name="Timeline">Its timeline, from 1.</param>
/// <param name="Number">Its number in the timeline, from 1 and without holes.</param>
internal sealed record SegmentName(int Timeline, long Number)
{
    private const string Beginning = "seg_";
    private const string Suffix = ".seg";
    private const int TimelineDigits = 6;
    private const int NumberDigits = 12;
    private const int NeighbourDigits = 3;
    private const int Length = 27;

    /// <summary>The beginning of the names of all segments.</summary>
    public static string BeginningOfAll => Beginning;

    /// <summary>Returns the beginning of the names of a timeline's segments.</summary>
    public static string BeginningOf(int timeline) => string.Create(CultureInfo.InvariantCulture, $"{Beginning}{timeline:D6}_");

    /// <summary>Returns the beginning of the names of a segment and its neighbours, a thousand at most: as many as one listing has.</summary>
    public static string BeginningOfNeighbours(SegmentName segment) => segment.ToString()[..(Length - Suffix.Length - NeighbourDigits)];

    /// <summary>Reads a name; null if it is not that of a segment.</summary>
    public static SegmentName? TryParse(string text) =>
        text.Length == Length
            && text.StartsWith(Beginning, StringComparison.Ordinal)
            && text.EndsWith(Suffix, StringComparison.Ordinal)
            && text[Beginning.Length + TimelineDigits] == '_'
            && TryDigits(text.AsSpan(Beginning.Length, TimelineDigits), out var timeline)
            && TryDigits(text.AsSpan(Beginning.Length + TimelineDigits + 1, NumberDigits), out var number)
            ? new SegmentName((int)timeline, number)
            : null;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Beginning}{Timeline:D6}_{Number:D12}{Suffix}");

    private static bool TryDigits(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
