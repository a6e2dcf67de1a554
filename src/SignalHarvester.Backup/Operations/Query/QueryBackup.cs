using System.Globalization;
using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>Asks a backup a question in SQL, without restoring it. Nothing can be changed by it.</summary>
internal static class QueryBackup
{
    /// <summary>Runs a query.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="options">The query and its limits.</param>
    /// <param name="found">Called with each row as it is found; false ends the query.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted backup.</param>
    /// <exception cref="BackupException">QueryFailed, QueryRefused, QueryLimitExceeded; as opening the image (<see cref="OpenImage.Of"/>).</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static void Run(BackupSource source, QueryOptions options, Func<QueryRow, bool> found, OperationContext context)
    {
        var backup = source.Backup;
        using var limit = new QueryLimit(options.Timeout, context);
        using var step = context.Meter($"Querying {backup.DisplayName}", 0);
        try
        {
            using var image = OpenImage.Of(source, context with { Cancellation = limit.Token }, options.CacheBytes);
            try
            {
                using var connection = image.Connect(limit.Token);
                ReadOnlyGuard.Apply(connection, options.LongestValue);
                limit.Watch(connection);
                Answer(connection, backup, options, found);
                image.Tell(context);
            }
            catch (SqliteException) when (image.Failure is not null)
            {
                ExceptionDispatchInfo.Throw(image.Failure);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SqliteException { SqliteErrorCode: raw.SQLITE_INTERRUPT })
        {
            context.Cancellation.ThrowIfCancellationRequested();
            throw limit.Exceeded(backup, exception) ?? exception;
        }
        catch (SqliteException exception)
        {
            throw Fault(backup, options, exception);
        }
    }

    private static void Answer(SqliteConnection connection, BackupMetadata backup, QueryOptions options, Func<QueryRow, bool> found)
    {
        using var statement = Prepare(connection, backup, options.Sql);
        Bind(statement, backup, options.Parameters);
        var columns = ColumnNames.Of(statement);
        if (columns.Count == 0)
        {
            throw Refused(backup, "it has no result");
        }

        var comparisons = StandInCollations.Comparisons;
        while (raw.sqlite3_step(statement) is var code && code != raw.SQLITE_DONE)
        {
            SqliteException.ThrowExceptionForRC(code, connection.Handle);
            if (StandInCollations.Comparisons > comparisons)
            {
                throw Failed(
                    backup, "it needs an order that only the application knows", "Write COLLATE BINARY after the column's name to compare bytes.", null);
            }

            var values = new object?[columns.Count];
            for (var column = 0; column < values.Length; column++)
            {
                values[column] = Value(statement, column);
            }

            if (!found(new QueryRow(columns, values)))
            {
                return;
            }
        }

        if (StandInCollations.Comparisons > comparisons)
        {
            throw Failed(backup, "it needs an order that only the application knows", "Write COLLATE BINARY after the column's name to compare bytes.", null);
        }
    }

    private static sqlite3_stmt Prepare(SqliteConnection connection, BackupMetadata backup, string sql)
    {
        ReadOnlySpan<byte> rest = SqlText.Bytes(SqlText.ParseNames(sql));
        sqlite3_stmt? only = null;
        while (!rest.IsEmpty)
        {
            SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(connection.Handle, rest, out var statement, out rest), connection.Handle);
            if (statement.IsInvalid)
            {
                // A comment, or nothing.
                statement.Dispose();
            }
            else if (only is null)
            {
                only = statement;
            }
            else
            {
                statement.Dispose();
                only.Dispose();
                throw Failed(backup, "it has more than one statement", "Give one; call the command once for each.", null);
            }
        }

        return only ?? throw Failed(backup, "it has no statement", "Give one, such as 'select count(*) from customer'.", null);
    }

    private static void Bind(sqlite3_stmt statement, BackupMetadata backup, IReadOnlyDictionary<string, object?> values)
    {
        var unused = values.Keys.ToHashSet(StringComparer.Ordinal);
        for (var index = 1; index <= raw.sqlite3_bind_parameter_count(statement); index++)
        {
            var name = raw.sqlite3_bind_parameter_name(statement, index).utf8_to_string();
            var key = name is null or { Length: 1 } ? index.ToString(CultureInfo.InvariantCulture) : name[1..];
            if (!values.TryGetValue(key, out var value))
            {
                throw Failed(
                    backup, $"it has no value for {name ?? "?"}",
                    $"Give one with -Parameter @{{ {key} = … }}; PowerShell does not replace variables in single quotes.", null);
            }

            _ = unused.Remove(key);
            Bind(statement, index, key, value);
        }

        if (unused.Count > 0)
        {
            throw Failed(backup, $"it has no parameter {ShortList.Of([.. unused.Order(StringComparer.Ordinal)])}", "Write it as :name in the query.", null);
        }
    }

    private static void Bind(sqlite3_stmt statement, int index, string name, object? value) => _ = value switch
    {
        null or DBNull => raw.sqlite3_bind_null(statement, index),
        bool truth => raw.sqlite3_bind_int64(statement, index, truth ? 1 : 0),
        sbyte or byte or short or ushort or int or uint or long => raw.sqlite3_bind_int64(statement, index, Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        float or double or decimal => raw.sqlite3_bind_double(statement, index, Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        string text => raw.sqlite3_bind_text(statement, index, SqlText.Bytes(text).AsSpan()),
        char character => raw.sqlite3_bind_text(statement, index, SqlText.Bytes(character.ToString()).AsSpan()),
        byte[] bytes => raw.sqlite3_bind_blob(statement, index, bytes),
        _ => throw BackupException.InvalidArgument(
            name, $"The value of '{name}' is a {value.GetType().Name}, which SQLite does not have. Give a number, a text, bytes or $null; a date in the form that the database has, such as '2026-11-29 02:00:00'."),
    };

    private static object? Value(sqlite3_stmt row, int column) => raw.sqlite3_column_type(row, column) switch
    {
        raw.SQLITE_NULL => null,
        raw.SQLITE_INTEGER => raw.sqlite3_column_int64(row, column),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(row, column),
        raw.SQLITE_BLOB => raw.sqlite3_column_blob(row, column).ToArray(),
        _ => SqlText.OfColumn(row, column),
    };

    private static BackupException Fault(BackupMetadata backup, QueryOptions options, SqliteException exception) => exception.SqliteErrorCode switch
    {
        raw.SQLITE_AUTH or raw.SQLITE_READONLY or raw.SQLITE_PERM => Refused(backup, Reason(exception), exception),
        raw.SQLITE_TOOBIG or raw.SQLITE_NOMEM => QueryLimit.Memory(backup, options, exception),
        raw.SQLITE_FULL => QueryLimit.Room(backup, exception),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new BackupException(
            BackupErrorId.BackupIntegrityFailed, backup.Id,
            $"The database in '{backup.Id}' is damaged where the query reads it: {Reason(exception)}. Check the backup with Test-SHBackup -Level Full, and query another one.",
            exception),
        _ => Failed(backup, Reason(exception), "Correct it; Get-SHBackup shows the tables of a backup as RowCounts.", exception),
    };

    private static string Reason(SqliteException exception) => exception.Message.Split('\n')[0].TrimEnd('.');

    private static BackupException Refused(BackupMetadata backup, string reason, Exception? inner = null) => new(
        BackupErrorId.QueryRefused, backup.Id,
        $"The query of '{backup.Id}' was refused: {reason}. A backup is only read: give one SELECT, or a PRAGMA that reports, and no ATTACH.", inner!);

    private static BackupException Failed(BackupMetadata backup, string reason, string advice, Exception? inner) => new(
        BackupErrorId.QueryFailed, backup.Id, $"The query of '{backup.Id}' has no answer: {reason}. {advice}", inner!);
}
