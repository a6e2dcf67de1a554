using System.Globalization;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>The place of an ordinary backup in the stream of its database, as the metadata of its sidecar records it.</summary>
/// <param name="Key">The key of the database.</param>
/// <param name="Stream">The stream, of which a database can have several: one for each store.</param>
/// <param name="Timeline">The timeline.</param>
/// <param name="Number">The last segment whose transactions are all in the backup.</param>
/// <param name="Transaction">The transaction after which the backup holds the database.</param>
/// <param name="Time">The time of that transaction.</param>
/// <param name="Mark">What the digest of the stream there is recognised by (<see cref="StreamDigest.Mark"/>).</param>
internal sealed record StreamPosition(string Key, string Stream, int Timeline, long Number, long Transaction, DateTimeOffset Time, string Mark)
{
    /// <summary>How long single transactions can be restored where there is nothing recorded.</summary>
    private static readonly TimeSpan UsualWindow = TimeSpan.FromDays(1);

    private const string KeyEntry = "stream_key";
    private const string StreamEntry = "stream_id";
    private const string TimelineEntry = "stream_timeline";
    private const string NumberEntry = "stream_number";
    private const string TransactionEntry = "stream_transaction";
    private const string TimeEntry = "stream_time";
    private const string MarkEntry = "stream_mark";
    private const string WindowEntry = "stream_window";

    private static readonly string[] Entries =
    [
        KeyEntry, StreamEntry, TimelineEntry, NumberEntry, TransactionEntry, TimeEntry, MarkEntry, WindowEntry,
    ];

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>How long single transactions of the stream can be restored, in whole seconds: retention keeps what they need.</summary>
    public TimeSpan Window { get; init; } = UsualWindow;

    /// <summary>Returns the entries for a sidecar's metadata.</summary>
    public IReadOnlyDictionary<string, object?> ToEntries() => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        [KeyEntry] = Key,
        [StreamEntry] = Stream,
        [TimelineEntry] = (long)Timeline,
        [NumberEntry] = Number,
        [TransactionEntry] = Transaction,
        [TimeEntry] = Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture),
        [MarkEntry] = Mark,
        [WindowEntry] = (long)Window.TotalSeconds,
    };

    /// <summary>Returns a backup's entries without its place in a stream.</summary>
    public static IReadOnlyDictionary<string, object?> Without(IReadOnlyDictionary<string, object?> entries) =>
        entries.Where(entry => !Entries.Contains(entry.Key)).ToDictionary(StringComparer.Ordinal);

    /// <summary>Reads the place of a backup; null if it records none, or not all of it.</summary>
    public static StreamPosition? Of(BackupMetadata backup)
    {
        ArgumentNullException.ThrowIfNull(backup);
        return Text(KeyEntry) is { } key && Text(StreamEntry) is { } stream && Text(MarkEntry) is { } mark
            && Number(TimelineEntry) is { } timeline and > 0 and <= int.MaxValue && Number(NumberEntry) is { } number
            && Number(TransactionEntry) is { } transaction
            && DateTimeOffset.TryParseExact(Text(TimeEntry), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? new StreamPosition(key, stream, (int)timeline, number, transaction, time, mark)
            {
                Window = Number(WindowEntry) is { } seconds and <= int.MaxValue ? TimeSpan.FromSeconds(seconds) : UsualWindow,
            }
            : null;

        string? Text(string entry) => backup.Metadata.TryGetValue(entry, out var value) ? value as string : null;

        long? Number(string entry) => backup.Metadata.TryGetValue(entry, out var value) && value is long and >= 0 ? (long)value : null;
    }
}
