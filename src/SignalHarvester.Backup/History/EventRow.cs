using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.History;

/// <summary>Converts events and their sums to rows and back: names in lower case with underscores, times as ISO 8601 in UTC.</summary>
internal static class EventRow
{
    private const int LongestText = 4000;
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Returns a moment in the tables' form. Later moments sort after earlier ones.</summary>
    public static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    /// <summary>Returns an enumeration's value in the tables' form, which is the predecessor's name for it.</summary>
    public static string Text<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>Binds the values of an event to a statement.</summary>
    public static void Bind(SqliteCommand command, BackupEvent told)
    {
        Add("timestamp", Text(told.Timestamp));
        Add("operation", Text(told.Operation));
        Add("status", Text(told.Status));
        Add("duration_us", (long)told.Duration.TotalMicroseconds);
        Add("database", Shortened(told.Database));
        Add("backup_id", Shortened(told.BackupId));
        Add("backup_type", TextOrNull(told.Type));
        Add("compression", TextOrNull(told.Compression));
        Add("provider", TextOrNull(told.Provider));
        Add("retention_policy", TextOrNull(told.RetentionPolicy));
        Add("bytes", told.Bytes);
        Add("verified", told.Verified);
        Add("destination", Shortened(told.Destination));
        Add("error_id", Shortened(told.ErrorId));
        Add("error", Shortened(told.ErrorMessage));
        Add("schedule", Shortened(told.Schedule));
        Add("user", Shortened(told.User));
        Add("host", Shortened(told.Host));
        Add("process_id", told.ProcessId);

        void Add(string name, object? value) => command.Parameters.AddWithValue("$" + name, value ?? DBNull.Value);
    }

    /// <summary>Reads a row of the table event.</summary>
    public static BackupEvent Read(SqliteDataReader row, string backupDirectory) => new()
    {
        EventId = row.GetInt64(0),
        Timestamp = Moment(row.GetString(1)),
        Operation = Enum.Parse<BackupOperation>(row.GetString(2), ignoreCase: true),
        Status = StringAt(row, 14) == BackupEvent.Stopped ? BackupEventStatus.Stopped : Enum.Parse<BackupEventStatus>(row.GetString(3), ignoreCase: true),
        Duration = TimeSpan.FromMicroseconds(row.GetInt64(4)),
        Database = StringAt(row, 5),
        BackupId = StringAt(row, 6),
        Type = ValueAt<BackupType>(row, 7),
        Compression = ValueAt<CompressionType>(row, 8),
        Provider = ValueAt<CloudProvider>(row, 9),
        RetentionPolicy = ValueAt<RetentionPolicy>(row, 10),
        Bytes = row.IsDBNull(11) ? null : row.GetInt64(11),
        Verified = row.IsDBNull(12) ? null : row.GetInt64(12) != 0,
        Destination = StringAt(row, 13),
        ErrorId = StringAt(row, 14),
        ErrorMessage = StringAt(row, 15),
        Schedule = StringAt(row, 16),
        User = StringAt(row, 17),
        Host = StringAt(row, 18),
        ProcessId = row.GetInt32(19),
        BackupDirectory = backupDirectory,
    };

    /// <summary>Reads a row of the totals.</summary>
    public static EventTotal ReadTotal(SqliteDataReader row) => new(
        Enum.Parse<BackupOperation>(row.GetString(0), ignoreCase: true),
        Enum.Parse<BackupEventStatus>(row.GetString(1), ignoreCase: true),
        ValueAt<BackupType>(row, 2),
        ValueAt<CompressionType>(row, 3),
        ValueAt<CloudProvider>(row, 4),
        ValueAt<RetentionPolicy>(row, 5),
        row.GetString(6) is { Length: > 0 } verified ? verified != "0" : null,
        row.GetInt64(9),
        row.GetInt64(10),
        TimeSpan.FromMicroseconds(row.GetInt64(11)),
        row.GetInt64(8) < 0 ? null : row.GetInt64(12));

    /// <summary>Reads a row of the last successes.</summary>
    public static ((BackupOperation Operation, string Database) Key, DateTimeOffset Moment) ReadLatest(SqliteDataReader row) =>
        ((Enum.Parse<BackupOperation>(row.GetString(0), ignoreCase: true), row.GetString(1)), Moment(row.GetString(2)));

    private static DateTimeOffset Moment(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    private static string? StringAt(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static T? ValueAt<T>(SqliteDataReader row, int column)
        where T : struct, Enum => StringAt(row, column) is { Length: > 0 } text ? Enum.Parse<T>(text, ignoreCase: true) : null;

    private static string? TextOrNull<T>(T? value)
        where T : struct, Enum => value is { } given ? Text(given) : null;

    /// <summary>Shortens texts that others may have written (names, paths, answers of services) to a length that can be shown.</summary>
    private static string? Shortened(string? text) => text is { Length: > LongestText } ? text[..LongestText] : text;
}
