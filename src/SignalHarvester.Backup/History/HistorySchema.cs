using System.Globalization;

namespace SignalHarvester.Backup.History;

/// <summary>
/// The tables of a history file, described in docs/FORMAT.md. Up to a certain number, events are kept as they are; older ones
/// are kept as sums, so that no counter ever goes back.
/// </summary>
internal static class HistorySchema
{
    /// <summary>The number that marks the file as ours: SHBH.</summary>
    public const int ApplicationId = 0x53484248;

    /// <summary>The version of these tables.</summary>
    public const int Version = 1;

    /// <summary>Makes the tables in an empty file.</summary>
    public static readonly string Create = string.Create(CultureInfo.InvariantCulture, $"""
        PRAGMA journal_mode = WAL;
        BEGIN;
        CREATE TABLE event(
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          timestamp TEXT NOT NULL,
          operation TEXT NOT NULL,
          status TEXT NOT NULL,
          duration_us INTEGER NOT NULL,
          database TEXT,
          backup_id TEXT,
          backup_type TEXT,
          compression TEXT,
          provider TEXT,
          retention_policy TEXT,
          bytes INTEGER,
          verified INTEGER,
          destination TEXT,
          error_id TEXT,
          error TEXT,
          schedule TEXT,
          user TEXT,
          host TEXT,
          process_id INTEGER NOT NULL);
        CREATE TABLE total(
          operation TEXT NOT NULL,
          status TEXT NOT NULL,
          backup_type TEXT NOT NULL,
          compression TEXT NOT NULL,
          provider TEXT NOT NULL,
          retention_policy TEXT NOT NULL,
          verified TEXT NOT NULL,
          duration_bucket INTEGER NOT NULL,
          bytes_bucket INTEGER NOT NULL,
          events INTEGER NOT NULL,
          backups INTEGER NOT NULL,
          duration_us INTEGER NOT NULL,
          bytes INTEGER NOT NULL,
          PRIMARY KEY(operation, status, backup_type, compression, provider, retention_policy, verified, duration_bucket, bytes_bucket)) WITHOUT ROWID;
        CREATE TABLE latest_success(
          operation TEXT NOT NULL,
          database TEXT NOT NULL,
          timestamp TEXT NOT NULL,
          PRIMARY KEY(operation, database)) WITHOUT ROWID;
        PRAGMA application_id = {ApplicationId};
        PRAGMA user_version = {Version};
        COMMIT;
        """);

    /// <summary>Adds an event.</summary>
    public const string Insert = """
        INSERT INTO event(timestamp, operation, status, duration_us, database, backup_id, backup_type, compression, provider,
          retention_policy, bytes, verified, destination, error_id, error, schedule, user, host, process_id)
        VALUES($timestamp, $operation, $status, $duration_us, $database, $backup_id, $backup_type, $compression, $provider,
          $retention_policy, $bytes, $verified, $destination, $error_id, $error, $schedule, $user, $host, $process_id)
        """;

    /// <summary>The number of events, or more. Ids have no gaps, and only the oldest events are ever removed.</summary>
    public const string Count = "SELECT coalesce(max(id) - min(id) + 1, 0) FROM event";

    /// <summary>The sums over all events ever recorded. Kept events and rolled-up ones go into the same rows.</summary>
    public static readonly string Totals = $"""
        SELECT operation, status, backup_type, compression, provider, retention_policy, verified, duration_bucket, bytes_bucket,
          sum(events), sum(backups), sum(duration_us), sum(bytes)
        FROM (SELECT * FROM total UNION ALL {Sums("event")})
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        """;

    /// <summary>The databases that events concern.</summary>
    public const string Databases = "SELECT DISTINCT database FROM event WHERE database IS NOT NULL";

    /// <summary>
    /// The last success of each operation on each database: the last one recorded, whatever the clock said. Rolled-up events were
    /// before all others.
    /// </summary>
    public const string LatestSuccess = """
        SELECT operation, database, timestamp
        FROM (SELECT operation, database, timestamp, max(id)
          FROM (SELECT operation, database, timestamp, 0 AS id FROM latest_success
            UNION ALL SELECT operation, database, timestamp, id FROM event WHERE status = 'success' AND database IS NOT NULL)
          GROUP BY 1, 2)
        ORDER BY 1, 2
        """;

    /// <summary>Replaces all but the newest <c>$kept</c> events by sums.</summary>
    public static readonly string RollUp = $"""
        INSERT INTO total {Sums("(SELECT * FROM event WHERE id <= (SELECT max(id) FROM event) - $kept)")}
          ON CONFLICT DO UPDATE SET events = events + excluded.events, backups = backups + excluded.backups,
            duration_us = duration_us + excluded.duration_us, bytes = bytes + excluded.bytes;
        INSERT INTO latest_success SELECT operation, database, timestamp FROM (SELECT operation, database, timestamp, max(id) FROM event
          WHERE id <= (SELECT max(id) FROM event) - $kept AND status = 'success' AND database IS NOT NULL GROUP BY 1, 2) WHERE 1
          ON CONFLICT DO UPDATE SET timestamp = excluded.timestamp;
        DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - $kept;
        """;

    private static string Sums(string events) => $"""
        SELECT operation, status, coalesce(backup_type, ''), coalesce(compression, ''), coalesce(provider, ''),
          coalesce(retention_policy, ''), coalesce(CAST(verified AS TEXT), ''), {Bucket("duration_us / 1e6", HistoryBuckets.Seconds)},
          {Bucket("bytes", HistoryBuckets.Bytes)}, count(*), count(backup_id), sum(duration_us), coalesce(sum(bytes), 0)
        FROM {events} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        """;

    /// <summary>SQL for the number of the first bucket that holds a value. The last bucket has no bound; -1 stands for no value.</summary>
    private static string Bucket(string value, double[] bounds)
    {
        var columnName = value.Split(' ')[0];
        var cases = bounds.Select((bound, number) => string.Create(CultureInfo.InvariantCulture, $"WHEN {value} <= {bound:F0} THEN {number}"));
        return string.Create(CultureInfo.InvariantCulture, $"CASE WHEN {columnName} IS NULL THEN -1 {string.Join(' ', cases)} ELSE {bounds.Length} END");
    }
}
