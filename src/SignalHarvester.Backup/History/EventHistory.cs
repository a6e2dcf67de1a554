using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.History;

/// <summary>
/// The history of a backup directory: its operations, with account and result. Any number of processes may record at
/// once. Counters are derived from it; deleting it loses those, but no backup.
/// </summary>
public sealed class EventHistory
{
    private const int MostEvents = 20_000;
    private const int EventsAtOnce = 1_000;

    private readonly BackupDirectory directory;
    private readonly HistoryFile file;
    private readonly int kept;
    private readonly int slack;

    /// <summary>Names a history; nothing is opened yet.</summary>
    /// <param name="directory">The backup directory.</param>
    public EventHistory(BackupDirectory directory)
        : this(directory, MostEvents, EventsAtOnce)
    {
    }

    /// <summary>Names a history of another length.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="kept">The number of single events to keep.</param>
    /// <param name="slack">The number of further events before the oldest become sums, all at once.</param>
    internal EventHistory(BackupDirectory directory, int kept, int slack)
    {
        ArgumentNullException.ThrowIfNull(directory);
        this.directory = directory;
        this.kept = kept;
        this.slack = slack;
        file = new HistoryFile(directory);
    }

    /// <summary>Records events in one transaction. Never fails: it warns if they cannot be recorded.</summary>
    /// <param name="events">The events. Account, machine and process are added.</param>
    /// <param name="context">Receives a warning if nothing could be recorded; for a read-only directory, only an explanation.</param>
    public void Record(IReadOnlyCollection<BackupEvent> events, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            file.Write((connection, transaction) => Insert(events, connection, transaction), context);
        }
        catch (Exception exception)
        {
            // Whatever happened: the recorded operations are done, and this must not lose their results.
            Warn(exception, context);
        }
    }

    /// <summary>Reads events, newest first.</summary>
    /// <param name="query">The wanted events.</param>
    /// <param name="context">Receives a warning about a damaged history, which is set aside.</param>
    /// <exception cref="BackupException">HistoryUnreadable, DirectoryNotFound.</exception>
    public IReadOnlyList<BackupEvent> Read(EventQuery query, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Read(
            (connection, transaction) =>
            {
                using var command = Select(query, connection, transaction);
                return ReadAll(command, row => EventRow.Read(row, directory.Path));
            },
            [],
            context);
    }

    /// <summary>The databases of all events, each once: for completion, which cannot wait for twenty thousand events.</summary>
    /// <param name="context">Receives a warning about a damaged history, which is set aside.</param>
    /// <exception cref="BackupException">HistoryUnreadable, DirectoryNotFound.</exception>
    public IReadOnlyList<string> ReadDatabases(OperationContext context) => Read(
        (connection, transaction) =>
        {
            using var command = Command(HistorySchema.Databases, connection, transaction);
            return ReadAll(command, row => row.GetString(0));
        },
        [],
        context);

    /// <summary>Reads the sums behind the metrics.</summary>
    /// <exception cref="BackupException">HistoryUnreadable, DirectoryNotFound.</exception>
    internal HistoryTotals ReadTotals(OperationContext context) => Read(
        (connection, transaction) =>
        {
            using var totals = Command(HistorySchema.Totals, connection, transaction);
            using var latest = Command(HistorySchema.LatestSuccess, connection, transaction);
            return new HistoryTotals(
                ReadAll(totals, EventRow.ReadTotal),
                ReadAll(latest, EventRow.ReadLatest).ToDictionary(row => row.Key, row => row.Moment));
        },
        HistoryTotals.None,
        context);

    private T Read<T>(Func<SqliteConnection, SqliteTransaction, T> query, T none, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            if (!Directory.Exists(directory.Path))
            {
                // Reports what is wrong with the directory.
                _ = directory.SidecarIds();
            }

            return file.Read(query, none, context);
        }
        catch (Exception exception) when (exception is SqliteException or IOException or UnauthorizedAccessException or InvalidDataException
            // Rows that others wrote: invalid words, times and numbers.
            or ArgumentException or FormatException or OverflowException or InvalidCastException or InvalidOperationException)
        {
            throw new BackupException(
                BackupErrorId.HistoryUnreadable, file.Path,
                $"The history of operations '{file.Path}' cannot be read: {exception.Message} Check its permissions and the disk. You may delete it: that loses counters, but no backup.",
                exception);
        }
    }

    private void Insert(IReadOnlyCollection<BackupEvent> events, SqliteConnection connection, SqliteTransaction transaction)
    {
        foreach (var told in events)
        {
            using var insert = Command(HistorySchema.Insert, connection, transaction);
            EventRow.Bind(insert, told with { User = Environment.UserName, Host = Environment.MachineName, ProcessId = Environment.ProcessId });
            insert.ExecuteNonQuery();
        }

        using var count = Command(HistorySchema.Count, connection, transaction);
        if ((long)count.ExecuteScalar()! > kept + slack)
        {
            using var rollUp = Command(HistorySchema.RollUp, connection, transaction);
            rollUp.Parameters.AddWithValue("$kept", kept);
            rollUp.ExecuteNonQuery();
        }
    }

    private void Warn(Exception exception, OperationContext context)
    {
        try
        {
            if (exception is UnauthorizedAccessException or IOException or SqliteException && !CanBeWritten())
            {
                context.Verbose($"The operation is not recorded in the history, because '{directory.Layout.StateFolder}' cannot be written to.");
                return;
            }

            context.Warn(
                $"The operation could not be recorded in the history '{file.Path}' ({exception.Message.TrimEnd('.')}). The operation itself is not affected, but the counters miss it.");
        }
        catch (OperationCanceledException)
        {
            // Stopped: nobody listens any more.
        }
    }

    private bool CanBeWritten()
    {
        var probe = Path.Combine(directory.Layout.StateFolder, $"history.probe-{Guid.NewGuid():N}");
        try
        {
            DurableFile.CreateDirectory(directory.Layout.StateFolder);
            DurableFile.CreatePrivate(probe, FileShare.None).Dispose();
            DurableFile.Discard(probe);
            return true;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return DiskFault.IsFull(exception);
        }
    }

    private static SqliteCommand Select(EventQuery query, SqliteConnection connection, SqliteTransaction transaction)
    {
        var command = Command(string.Empty, connection, transaction);
        var conditions = new List<string> { "1" };
        if (query.Operations is { } operations)
        {
            conditions.Add($"operation IN ({string.Join(", ", operations.Select(operation => $"'{EventRow.Text(operation)}'"))})");
        }

        // Before there was this status, a stopped operation was recorded as a failed one with this error.
        Add(
            query.Status == BackupEventStatus.Stopped ? $"(status = $status OR error_id = '{BackupEvent.Stopped}')"
                : $"status = $status AND error_id IS NOT '{BackupEvent.Stopped}'",
            "$status",
            query.Status is { } status ? EventRow.Text(status) : null);
        Add("timestamp >= $after", "$after", query.After is { } after ? EventRow.Text(after) : null);
        Add("timestamp < $before", "$before", query.Before is { } before ? EventRow.Text(before) : null);
        Add("schedule = $schedule", "$schedule", query.Schedule);
        command.CommandText = $"SELECT * FROM event WHERE {string.Join(" AND ", conditions)} ORDER BY id DESC";
        return command;

        void Add(string condition, string name, string? value)
        {
            if (value is not null)
            {
                conditions.Add(condition);
                command.Parameters.AddWithValue(name, value);
            }
        }
    }

    private static SqliteCommand Command(string sql, SqliteConnection connection, SqliteTransaction transaction)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        return command;
    }

    private static List<T> ReadAll<T>(SqliteCommand command, Func<SqliteDataReader, T> read)
    {
        using var rows = command.ExecuteReader();
        var all = new List<T>();
        while (rows.Read())
        {
            all.Add(read(rows));
        }

        return all;
    }
}
