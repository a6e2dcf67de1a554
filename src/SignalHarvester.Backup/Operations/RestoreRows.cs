using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// Brings single tables or rows of a backup back into a database that lives on: the backup is restored to a private
/// temporary place, and its rows are copied from there in one transaction, which leaves all or nothing.
/// </summary>
public static class RestoreRows
{
    private const string There = "shbackup";

    /// <summary>Brings rows back.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="remote">The object store that it is taken from; null for the directory.</param>
    /// <param name="directory">Where it lies; null for a file that is in no catalogue.</param>
    /// <param name="home">The backup directory, below which there is room.</param>
    /// <param name="options">Which rows, and how.</param>
    /// <param name="context">Clock, messages, cancellation, and what opens an encrypted backup.</param>
    /// <returns>What was done, for each table.</returns>
    /// <exception cref="BackupException">As restoring; TableNotFound, RowsNotRestored, DestinationLocked: the database is as it was.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the database is as it was.</exception>
    internal static IReadOnlyList<RestoredRows> Run(
        BackupMetadata backup, RemoteCatalog? remote, BackupDirectory? directory, BackupDirectory home, RestoreRowsOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(backup);
        ArgumentNullException.ThrowIfNull(home);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        var target = RestoreTarget.Resolve(options.Into, options.AllowHardLink, context);
        if (!target.Exists || target.IsBlank)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid,
                BackupErrorCategory.ObjectNotFound,
                target.Path,
                $"There is no database '{target.Path}' to bring rows back into. Give one that is there with -Into, or restore the whole backup with -Destination.");
        }

        if (!options.AllowOtherDatabase && (remote is not null || directory is not null))
        {
            OtherDatabase.RefusePlace(backup, target.Path, () => remote?.List(context.Cancellation) ?? directory!.List());
        }

        try
        {
            using var folder = TemporaryFolder.CreateInFirst([home.TemporaryParent, Path.GetTempPath()], backup.DatabaseSize ?? backup.Size);
            var restore = new RestoreOptions { Destination = folder.FilePath("backup.db"), IsPrivate = true };
            _ = remote is null ? RestoreBackup.Run(backup, directory, restore, context) : RestoreRemoteBackup.Run(backup.Id, remote, home, restore, context);
            var tables = Tables(restore.Destination, backup, target, options, context);

            // With no connection of ours to the database: it must not hold locks that this one's end would drop.
            var safety = new SafetyBackup(
                target,
                backup,
                new RestoreOptions { Destination = target.Path, SafetyDirectory = options.SafetyDirectory, Encryption = options.Encryption, LockTimeout = options.LockTimeout },
                context);
            safety.Make(wasWal: false);
            var done = Copy(restore.Destination, tables, backup, target, options, context);
            safety.Prune();
            return done;
        }
        catch (SqliteException exception) when (context.Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, context.Cancellation);
        }
        catch (SqliteException exception)
        {
            throw Fault(exception, target, options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, home.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder.");
        }
    }

    private static SqliteConnection Open(string image, RestoreTarget target, RestoreRowsOptions options, OperationContext context)
    {
        var connection = SqliteConnections.OpenForApplication(target.Path, options.LockTimeout, context.Cancellation);
        try
        {
            // Whether keys hold is looked at once, at the end, when all tables are there.
            SqliteConnections.Execute(connection, "PRAGMA foreign_keys = OFF");
            using var attach = connection.CreateCommand();
            attach.CommandText = $"ATTACH $image AS {There}";
            attach.Parameters.AddWithValue("$image", image);
            attach.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The tables with their columns, once it is certain that the rows can go where they are to.</summary>
    private static List<(string Name, TableShape Shape)> Tables(string image, BackupMetadata backup, RestoreTarget target, RestoreRowsOptions options, OperationContext context)
    {
        using var connection = Open(image, target, options, context);
        return [.. options.Tables.Select(table => (table, Require(connection, table, backup, target, options)))];
    }

    private static TableShape Require(SqliteConnection connection, string table, BackupMetadata backup, RestoreTarget target, RestoreRowsOptions options)
    {
        var shape = TableShape.TryRead(connection, There, table) ?? throw NotFound(table, $"the backup '{backup.Id}'", connection, There);
        RefuseAllButAConditionOf(connection, table, options.Where);
        if (options.Action == RowAction.SideTable)
        {
            return shape;
        }

        var now = TableShape.TryRead(connection, "main", table) ?? throw NotFound(table, $"'{target.Path}'", connection, "main");
        var lost = shape.Columns.Except(now.Columns, StringComparer.OrdinalIgnoreCase).ToList();
        return lost.Count == 0 && RowMatch.TryFind(connection, table, (There, shape), ("main", now)) is not null
            ? shape
            : throw Misfit(table, target, lost.Count > 0 ? $"it has no column {string.Join(", ", lost)}" : "no key tells the rows of both apart");
    }

    private static BackupException Misfit(string table, RestoreTarget target, string reason) => new(
        BackupErrorId.RowsNotRestored,
        BackupErrorCategory.InvalidOperation,
        table,
        $"The rows of '{table}' do not fit into the table of that name in '{target.Path}': {reason}. Nothing was changed. Use -RowAction SideTable, and copy what you need from there.");

    /// <summary>Refuses what is no condition but ends the statement, or begins another.</summary>
    private static void RefuseAllButAConditionOf(SqliteConnection connection, string table, string? where)
    {
        if (where is null)
        {
            return;
        }

        var result = SQLitePCL.raw.sqlite3_prepare_v2(
            connection.Handle, $"SELECT CASE WHEN (\n{where}\n) THEN 1 END FROM {There}.{SqliteConnections.Quote(table)}", out var statement, out var rest);
        var message = SQLitePCL.raw.sqlite3_errmsg(connection.Handle).utf8_to_string();
        using (statement)
        {
            var reason = result != SQLitePCL.raw.SQLITE_OK ? message.Split('\n')[0]
                : !string.IsNullOrWhiteSpace(rest) ? "something stands behind it"
                : SQLitePCL.raw.sqlite3_bind_parameter_count(statement) > 0 ? $"it leaves the value of {SQLitePCL.raw.sqlite3_bind_parameter_name(statement, 1).utf8_to_string() ?? "?"} open; in single quotes, PowerShell does not put a variable's value there"
                : null;
            if (reason is not null)
            {
                throw new BackupException(
                    BackupErrorId.InvalidArgument,
                    BackupErrorCategory.InvalidArgument,
                    where,
                    $"-Where is no condition on the rows of '{table}': {reason}. Nothing was changed. Give what would stand behind WHERE, such as \"created_at >= '2026-11-10'\".");
            }
        }
    }

    private static List<RestoredRows> Copy(
        string image,
        IReadOnlyList<(string Name, TableShape Shape)> tables,
        BackupMetadata backup,
        RestoreTarget target,
        RestoreRowsOptions options,
        OperationContext context)
    {
        using var connection = Open(image, target, options, context);
        using var step = context.Meter($"Bringing rows back into {Path.GetFileName(target.Path)}, from {backup.DisplayName}", 0);
        using var transaction = connection.BeginTransaction(deferred: false);
        var before = tables.ToDictionary(table => table.Name, table => Violations(connection, table.Name), StringComparer.OrdinalIgnoreCase);
        var done = tables.Select(table => Copy(connection, transaction, table, backup, target, options)).ToList();
        foreach (var (table, _) in tables.Where(table => Violations(connection, table.Name) > before[table.Name]))
        {
            throw new BackupException(
                BackupErrorId.RowsNotRestored,
                BackupErrorCategory.InvalidOperation,
                table,
                $"Rows of '{table}' would refer to rows that are not in '{target.Path}'. Nothing was changed. Name the tables that they refer to with -Table as well, or use -RowAction SideTable.");
        }

        context.Cancellation.ThrowIfCancellationRequested();
        transaction.Commit();
        return done;
    }

    private static RestoredRows Copy(
        SqliteConnection connection,
        SqliteTransaction transaction,
        (string Name, TableShape Shape) table,
        BackupMetadata backup,
        RestoreTarget target,
        RestoreRowsOptions options)
    {
        var done = new RestoredRows { BackupId = backup.Id, Database = target.Path, Table = table.Name, Into = table.Name };
        if (options.Action == RowAction.SideTable)
        {
            var beside = $"{table.Name}_{backup.Id}";
            return done with { Into = beside, Inserted = PutBeside(connection, transaction, table, beside, options.Where) };
        }

        // Looked at again in the transaction: the application may have changed the table meanwhile.
        var match = TableShape.TryRead(connection, "main", table.Name) is { } now ? RowMatch.TryFind(connection, table.Name, (There, table.Shape), ("main", now)) : null;
        return match is null
            ? throw Misfit(table.Name, target, "it was changed meanwhile")
            : done with
            {
                Replaced = options.Action == RowAction.Replace ? Replace(connection, transaction, table, match, options.Where) : 0,
                Inserted = Insert(connection, transaction, table, match, options.Where),
            };
    }

    private static long Insert(SqliteConnection connection, SqliteTransaction transaction, (string Name, TableShape Shape) table, RowMatch match, string? where)
    {
        var name = SqliteConnections.Quote(table.Name);
        var columns = Columns(table, match);
        return Change(
            connection,
            transaction,
            $"INSERT INTO main.{name} ({TableShape.List(columns)}) SELECT {TableShape.List(columns, "b.")} FROM {Wanted(table.Name, columns, where)} AS b WHERE NOT EXISTS (SELECT 1 FROM main.{name} AS m WHERE {match.Same("m", "b")})");
    }

    private static long Replace(SqliteConnection connection, SqliteTransaction transaction, (string Name, TableShape Shape) table, RowMatch match, string? where) => Change(
        connection,
        transaction,
        $"UPDATE main.{SqliteConnections.Quote(table.Name)} AS m SET {string.Join(", ", table.Shape.Columns.Select(SqliteConnections.Quote).Select(column => $"{column} = b.{column}"))} FROM {Wanted(table.Name, Columns(table, match), where)} AS b WHERE {match.Same("m", "b")} AND ({RowMatch.Differs(table.Shape.Columns, "m", "b")})");

    private static long PutBeside(SqliteConnection connection, SqliteTransaction transaction, (string Name, TableShape Shape) table, string beside, string? where)
    {
        _ = Change(connection, transaction, $"CREATE TABLE main.{SqliteConnections.Quote(beside)} AS SELECT * FROM {Wanted(table.Name, table.Shape.Columns, where)}");
        return SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM main.{SqliteConnections.Quote(beside)}");
    }

    private static IReadOnlyList<string> Columns((string Name, TableShape Shape) table, RowMatch match) => match.IsRowId ? [.. match.Key, .. table.Shape.Columns] : table.Shape.Columns;

    private static string Wanted(string table, IReadOnlyList<string> columns, string? where) =>
        $"(SELECT {string.Join(", ", columns.Select(SqliteConnections.Quote).Select(column => $"{column} AS {column}"))} FROM {There}.{SqliteConnections.Quote(table)} WHERE (\n{where ?? "1"}\n))";

    private static long Change(SqliteConnection connection, SqliteTransaction transaction, string sql)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }

    private static long Violations(SqliteConnection connection, string table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM pragma_foreign_key_check($table)";
        command.Parameters.AddWithValue("$table", table);
        return (long)command.ExecuteScalar()!;
    }

    private static BackupException NotFound(string table, string where, SqliteConnection connection, string schema)
    {
        // A shadow table is one that a virtual table stores its rows in.
        var ofSchema = $"FROM pragma_table_list WHERE schema = '{schema}' AND type";
        var there = SqliteConnections.Strings(connection, $"SELECT name {ofSchema} = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT 30");
        var isVirtual = SqliteConnections.Strings(connection, $"SELECT name {ofSchema} IN ('virtual', 'shadow')").Contains(table, StringComparer.OrdinalIgnoreCase);
        var known = there.Count == 0 ? "There is none." : $"Give one of those that are there: {string.Join(", ", there)}.";
        return new BackupException(
            BackupErrorId.TableNotFound,
            BackupErrorCategory.ObjectNotFound,
            table,
            $"There is no table '{table}' with rows of its own in {where}. {known}{(isVirtual ? " Of a virtual table, the tables that it stores its rows in would have to fit each other: restore the whole backup to a new file instead." : string.Empty)}");
    }

    private static BackupException Fault(SqliteException exception, RestoreTarget target, RestoreRowsOptions options) =>
        exception.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED
            ? new BackupException(
                BackupErrorId.DestinationLocked,
                BackupErrorCategory.ResourceBusy,
                target.Path,
                $"'{target.Path}' is locked by another process, and stayed so for the whole -LockTimeout. It was not changed. Try again, or give a longer -LockTimeout.",
                exception)
            : exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_NOTADB
            ? new BackupException(
                BackupErrorId.DestinationInvalid,
                BackupErrorCategory.InvalidData,
                target.Path,
                $"'{target.Path}' is no SQLite database, or an encrypted one. It was not changed. Give the path of the database with -Into.",
                exception)
            : new BackupException(
                BackupErrorId.RowsNotRestored,
                BackupErrorCategory.InvalidOperation,
                string.Join(", ", options.Tables),
                $"The rows could not be brought back into '{target.Path}', which is as it was: {exception.Message.TrimEnd('.')}. {(exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_CORRUPT ? "It is no sound database: restore the whole backup, with -Destination." : "Mend that, or use -RowAction SideTable.")}",
                exception);
}
