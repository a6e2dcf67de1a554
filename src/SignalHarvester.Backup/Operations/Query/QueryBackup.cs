using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Text;
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
        ReadOnlyGuard? guard = null;
        try
        {
            using var image = OpenImage.Of(source, context with { Cancellation = limit.Token }, options.CacheBytes);
            try
            {
                // SQLite reads the schema already when the connection opens.
                using var connection = image.Connect(limit.Token);
                guard = new ReadOnlyGuard(connection, options.LongestValue);
                limit.Watch(connection);
                Answer(connection, backup, options, found);
                image.RequireRead();
                image.Tell(context);
            }
            catch (SqliteException) when (image.Failure is not null)
            {
                image.RequireRead();
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SqliteException { SqliteErrorCode: raw.SQLITE_INTERRUPT })
        {
            context.Cancellation.ThrowIfCancellationRequested();
            throw limit.Exceeded(backup, exception) ?? exception;
        }
        catch (SqliteException exception)
        {
            throw Fault(backup, options, guard is { HasRefused: true }, exception);
        }
    }

    /// <summary>
    /// Looks at the text of a query without a backup: a slip of the pen is one error then, and not one for each backup.
    /// </summary>
    /// <exception cref="BackupException">QueryFailed: it is no SQL. QueryRefused: it cannot be a question.</exception>
    public static void Check(string sql)
    {
        using var connection = SqliteConnections.OpenUri(":memory:", CancellationToken.None);
        var guard = new ReadOnlyGuard(connection, QueryOptions.LongestText);
        try
        {
            Prepare(connection, sql, sql).Dispose();
        }
        catch (SqliteException exception) when (guard.HasRefused)
        {
            throw Refused(sql, "The query", Reason(exception), exception);
        }
        catch (SqliteException exception) when (IsSyntax(Reason(exception)))
        {
            throw new BackupException(
                BackupErrorId.QueryFailed, sql, $"The query is not SQL as SQLite understands it: {Reason(exception)}. Correct it.", exception);
        }
        catch (SqliteException)
        {
            // The tables are in the backup.
        }
    }

    private static void Answer(SqliteConnection connection, BackupMetadata backup, QueryOptions options, Func<QueryRow, bool> found)
    {
        using var statement = Prepare(connection, backup.Id, options.Sql);
        Bind(statement, options.Parameters);
        var columns = ColumnNames.Of(statement);
        if (columns.Count == 0 || raw.sqlite3_stmt_readonly(statement) == 0)
        {
            throw Refused(backup, "it does more than read");
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

    private static sqlite3_stmt Prepare(SqliteConnection connection, object target, string sql)
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
                throw new BackupException(
                    BackupErrorId.QueryRefused, target, "The query was refused: it has more than one statement. Give one, and call the command once for each.");
            }
        }

        return only ?? throw BackupException.InvalidArgument(
            "Query", "The query has no statement. Give one, such as 'select count(*) from customer'.");
    }

    private static void Bind(sqlite3_stmt statement, IReadOnlyDictionary<string, object?> values)
    {
        var unused = values.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);
        for (var index = 1; index <= raw.sqlite3_bind_parameter_count(statement); index++)
        {
            var name = raw.sqlite3_bind_parameter_name(statement, index).utf8_to_string();
            var key = name is null or ['?', ..] ? index.ToString(CultureInfo.InvariantCulture) : name[1..];
            if (!values.TryGetValue(key, out var value))
            {
                throw BackupException.InvalidArgument(
                    key,
                    name is ['$', ..]
                        ? $"The query has no value for its parameter {name}: PowerShell replaces variables in double quotes alone. Give it with -Parameter @{{ {key} = {name} }}."
                        : $"The query has no value for its parameter {name ?? $"number {key}"}. Give it with -Parameter @{{ {key} = … }}.");
            }

            _ = unused.Remove(key);
            Bind(statement, index, key, value);
        }

        if (unused.Count > 0)
        {
            throw BackupException.InvalidArgument(
                unused.First(),
                $"The query has no parameter {ShortList.Of([.. unused.Order(StringComparer.Ordinal)])}, which -Parameter gives. Correct the name, or omit it; in the query, a parameter is written as :name.");
        }
    }

    private static void Bind(sqlite3_stmt statement, int index, string name, object? value) => _ = value switch
    {
        null or DBNull => raw.sqlite3_bind_null(statement, index),
        bool truth => raw.sqlite3_bind_int64(statement, index, truth ? 1 : 0),
        sbyte or byte or short or ushort or int or uint or long or ulong and <= long.MaxValue =>
            raw.sqlite3_bind_int64(statement, index, Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        float or double or decimal => raw.sqlite3_bind_double(statement, index, Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        string text => raw.sqlite3_bind_text(statement, index, SqlText.Bytes(text).AsSpan()),
        char character => raw.sqlite3_bind_text(statement, index, SqlText.Bytes(character.ToString()).AsSpan()),
        byte[] bytes => raw.sqlite3_bind_blob(statement, index, bytes),
        _ => throw BackupException.InvalidArgument(
            name,
            $"The value of '{name}' is of the type {value.GetType().Name}, which SQLite does not have. Give a number, a text, bytes or $null; a date in the form that the database has, such as '2026-11-29 02:00:00'."),
    };

    private static object? Value(sqlite3_stmt row, int column) => raw.sqlite3_column_type(row, column) switch
    {
        raw.SQLITE_NULL => null,
        raw.SQLITE_INTEGER => raw.sqlite3_column_int64(row, column),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(row, column),
        raw.SQLITE_BLOB => raw.sqlite3_column_blob(row, column).ToArray(),
        _ => SqlText.OfColumn(row, column),
    };

    private static BackupException Fault(BackupMetadata backup, QueryOptions options, bool isRefused, SqliteException error) => error.SqliteErrorCode switch
    {
        raw.SQLITE_AUTH or raw.SQLITE_READONLY or raw.SQLITE_PERM => Refused(backup, Reason(error), error),
        raw.SQLITE_ERROR when isRefused => Refused(backup, Reason(error), error),
        raw.SQLITE_TOOBIG or raw.SQLITE_NOMEM => QueryLimit.Memory(backup, options, error),
        raw.SQLITE_FULL => QueryLimit.Room(backup, error),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new BackupException(
            BackupErrorId.BackupIntegrityFailed, backup.Id,
            $"The database in '{backup.Id}' is damaged where the query reads it: {Reason(error)}. Check the backup with Test-SHBackup -Level Full, and query another one.",
            error),
        _ => Failed(backup, Reason(error), "Correct the query; Get-SHBackup shows the tables of a backup as RowCounts.", error),
    };

    /// <summary>Returns SQLite's own words: the provider's are "SQLite Error 1: 'no such table: x'.".</summary>
    private static string Reason(SqliteException exception)
    {
        var message = exception.Message;
        var (from, to) = (message.IndexOf('\'', StringComparison.Ordinal), message.LastIndexOf('\''));
        var words = SingleLine.Of(from < to ? message[(from + 1)..to] : message.TrimEnd('.'));
        return words == "not authorized" ? "it may do more than read" : words;
    }

    private static bool IsSyntax(string words) =>
        words == "incomplete input"
        || words.EndsWith("syntax error", StringComparison.Ordinal)
        || words.StartsWith("unrecognized token", StringComparison.Ordinal);

    private static BackupException Refused(BackupMetadata backup, string reason, Exception? inner = null) =>
        Refused(backup.Id, $"The query of '{backup.Id}'", reason, inner);

    private static BackupException Refused(object target, string query, string reason, Exception? inner) => new(
        BackupErrorId.QueryRefused, target,
        $"{query} was refused: {reason}. A backup is only read: give one SELECT, or a PRAGMA that reports, and no ATTACH.", inner!);

    private static BackupException Failed(BackupMetadata backup, string reason, string advice, Exception? inner) => new(
        BackupErrorId.QueryFailed, backup.Id, $"The query of '{backup.Id}' has no answer: {reason}. {advice}", inner!);
}
