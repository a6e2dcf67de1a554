using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// Restores single tables or rows of a backup into a live database. It reads the backup as it lies, and copies its rows in one
/// transaction, all or nothing.
/// </summary>
internal static class RestoreRows
{
    private const string There = "shbackup";

    /// <summary>Restores rows.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="options">The rows and the options.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted backup.</param>
    /// <returns>The result for each table.</returns>
    /// <exception cref="BackupException">As restoring; TableNotFound, RowsNotRestored, DestinationLocked: the database is as it was.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the database is as it was.</exception>
    public static IReadOnlyList<RestoredRows> Run(BackupSource source, RestoreRowsOptions options, OperationContext context)
    {
        var (backup, home) = (source.Backup, source.Catalog.Home);
        var target = RestoreTarget.Resolve(options.Into, options.AllowHardLink, context);
        if (!target.Exists || target.IsBlank)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, BackupErrorCategory.ObjectNotFound, target.Path,
                $"There is no database '{target.Path}' for the rows. Give an existing one with -Into, or restore the whole backup with -Destination.");
        }

        if (!options.AllowOtherDatabase)
        {
            OtherDatabase.RefusePlace(source, target.Path, context.Cancellation);
        }

        try
        {
            RefuseDamagedSource(backup);
            using var staged = options.Stream is { } plan && source.Catalog.Store is { } store ? StagedStream.Fetch(plan, store, home, context) : null;
            using var image = OpenImage.Of(staged?.Source ?? source, context, keepsRemote: true);
            try
            {
                return BringBack(image, source, target, options, context);
            }
            catch (SqliteException) when (image.Failure is not null)
            {
                image.RequireRead();
                throw;
            }
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

    private static List<RestoredRows> BringBack(
        OpenImage image, BackupSource source, RestoreTarget target, RestoreRowsOptions options, OperationContext context)
    {
        var backup = source.Backup;
        var tables = Tables(image, backup, target, options, context);

        // Made before we connect to the database: the end of the safety backup's connection would drop the locks of ours.
        var safety = new SafetyBackup(
            target,
            backup,
            new RestoreOptions
            {
                Destination = target.Path,
                SafetyDirectory = options.SafetyDirectory,
                Encryption = options.Encryption,
                LockTimeout = options.LockTimeout,
            },
            context);
        safety.Make(wasWal: false);
        List<RestoredRows> done;
        try
        {
            done = Copy(image, tables, backup, target, options, context);
        }
        catch (BackupException)
        {
            // Refused before the commit.
            safety.Discard();
            throw;
        }

        if (options.Action != RowAction.SideTable && done.TrueForAll(rows => rows is { Inserted: 0, Replaced: 0 }))
        {
            safety.Discard();
        }
        else
        {
            safety.Prune();
        }

        image.Tell(context);
        return done;
    }

    private static void RefuseDamagedSource(BackupMetadata backup)
    {
        if (backup.IsSourceCorrupt)
        {
            throw new BackupException(
                BackupErrorId.BackupIntegrityFailed, BackupErrorCategory.InvalidOperation, backup.Id,
                $"'{backup.Id}' contains a database that was damaged when it was backed up, so its rows do not go into a live one. Restore it to a new file with -NoVerify, and copy from there what is sound.");
        }
    }

    private static SqliteConnection Open(OpenImage image, RestoreTarget target, RestoreRowsOptions options, OperationContext context)
    {
        // A new table beside the old one has no index, so the order of its rows does not matter.
        var connection = SqliteConnections.OpenForApplication(
            target.Path, options.LockTimeout, standIns: options.Action == RowAction.SideTable, context.Cancellation);
        try
        {
            // Foreign keys are checked once, at the end, when all tables are there.
            SqliteConnections.Execute(connection, "PRAGMA foreign_keys = OFF");
            using var attach = connection.CreateCommand();
            attach.CommandText = $"ATTACH $image AS {There}";
            attach.Parameters.AddWithValue("$image", image.Uri);
            attach.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Returns the tables with their columns, once it is certain that their rows can go to the right places.</summary>
    private static List<(SqliteName Name, TableShape Shape)> Tables(
        OpenImage image, BackupMetadata backup, RestoreTarget target, RestoreRowsOptions options, OperationContext context)
    {
        using var connection = Open(image, target, options, context);
        var (there, here) = (TableList.Read(connection, There), TableList.Read(connection, "main"));
        List<(SqliteName Name, TableShape Shape)> tables =
        [
            .. options.Tables.Select(SqliteName.Parse).Distinct().Select(table => (table, Require(connection, table, there, here, backup, target, options))),
        ];
        if (options.Action != RowAction.SideTable)
        {
            RefuseOthersOrder(connection, image, tables, here, target, options, context);
        }

        return tables;
    }

    private static TableShape Require(
        SqliteConnection connection, SqliteName table, TableList there, TableList here, BackupMetadata backup, RestoreTarget target, RestoreRowsOptions options)
    {
        var shape = there.TryShape(table) ?? throw NotFound(table, $"the backup '{backup.Id}'", there);
        RefuseAllButAConditionOf(connection, table, options.Where);
        if (options.Action == RowAction.SideTable)
        {
            return shape;
        }

        var now = here.TryShape(table) ?? throw NotFound(table, $"'{target.Path}'", here);
        List<SqliteName> foreign = [.. shape.Key.Concat(now.Key).Where(column => column.IsForeign).Select(column => column.Collation).Distinct()];
        if (foreign.Count > 0)
        {
            throw Misfit(table, target, $"its primary key uses a collation that only its application has, {ShortList.Of(foreign)}");
        }

        var match = RowMatch.TryFind(connection, table, (There, shape), ("main", now));
        if (match is { IsRowId: true } && shape.Columns.Count >= MostColumns(connection))
        {
            throw Misfit(table, target, "it has no primary key, and with the rowid it has more columns than SQLite allows in a statement");
        }

        List<SqliteName> lost = [.. shape.Columns.Except(now.Columns)];
        return lost.Count == 0 && match is not null
            ? shape
            : throw Misfit(table, target, lost.Count > 0 ? $"it has no column {ShortList.Of(lost)}" : "no key identifies the rows in both");
    }

    /// <summary>Refuses rows that only the application can put in their places in an index.</summary>
    private static void RefuseOthersOrder(
        SqliteConnection connection, OpenImage image, List<(SqliteName Name, TableShape Shape)> tables, TableList here, RestoreTarget target,
        RestoreRowsOptions options, OperationContext context)
    {
        // Rules for new rows are checked when there are any; here they would end a check of the present rows.
        SqliteConnections.Execute(connection, "PRAGMA ignore_check_constraints = ON");
        using var backup = image.Connect(context.Cancellation);
        foreach (var table in tables)
        {
            var match = RowMatch.TryFind(connection, table.Name, (There, table.Shape), ("main", here.TryShape(table.Name)!))!;
            var columns = Columns(table.Shape, match);
            List<string> statements =
            [
                Insertion(table, match, options.Where),
                .. options.Action == RowAction.Replace && Replacement(connection, table, match, options.Where) is { } sql ? [sql] : Array.Empty<string>(),
            ];
            if (RowOrder.WhyForeign(connection, backup, There, table.Name, columns, Wanted(table.Name, columns, options.Where), statements) is { } reason)
            {
                throw Misfit(table.Name, target, reason);
            }
        }
    }

    private static BackupException Misfit(SqliteName table, RestoreTarget target, string reason) => new(
        BackupErrorId.RowsNotRestored, table.ToString(),
        $"The rows of '{table}' do not fit into that table in '{target.Path}': {reason}. Nothing was changed. Use -RowAction SideTable, and copy the rows from there.");

    /// <summary>Refuses a text that is not a condition but ends the statement, or begins another one.</summary>
    private static void RefuseAllButAConditionOf(SqliteConnection connection, SqliteName table, string? where)
    {
        if (where is null)
        {
            return;
        }

        var result = SQLitePCL.raw.sqlite3_prepare_v2(
            connection.Handle, SqlText.Bytes($"SELECT CASE WHEN (\n{SqlText.ParseNames(where)}\n) THEN 1 END FROM {There}.{table.Quoted}"), out var statement,
            out var rest);
        var message = SQLitePCL.raw.sqlite3_errmsg(connection.Handle).utf8_to_string();
        using (statement)
        {
            var reason = result != SQLitePCL.raw.SQLITE_OK ? message.Split('\n')[0]
                : !string.IsNullOrWhiteSpace(SqlText.Of(rest)) ? "there is text after it"
                : SQLitePCL.raw.sqlite3_bind_parameter_count(statement) > 0
                    ? $"it has no value for {SQLitePCL.raw.sqlite3_bind_parameter_name(statement, 1).utf8_to_string() ?? "?"}; PowerShell does not replace variables in single quotes"
                : null;
            if (reason is not null)
            {
                throw BackupException.InvalidArgument(
                    where,
                    $"-Where is not a valid condition for table '{table}': {reason}. Nothing was changed. Give the text after WHERE, such as \"created_at >= '2026-11-10'\".");
            }
        }
    }

    private static List<RestoredRows> Copy(
        OpenImage image,
        IReadOnlyList<(SqliteName Name, TableShape Shape)> tables,
        BackupMetadata backup,
        RestoreTarget target,
        RestoreRowsOptions options,
        OperationContext context)
    {
        using var connection = Open(image, target, options, context);
        using var step = context.Meter($"Restoring rows into {Path.GetFileName(target.Path)}, from {backup.DisplayName}", 0);
        if (image.IsRemote)
        {
            Fetch(connection, tables, options);
        }

        using var transaction = connection.BeginTransaction(deferred: false);
        var restricted = options.Action == RowAction.SideTable ? [] : tables;
        var before = restricted.ToDictionary(table => table.Name, table => ForeignKeyCheck.Violations(connection, table.Name));
        var done = tables.Select(table => Copy(connection, table, backup, target, options)).ToList();
        foreach (var (table, _) in restricted.Where(table => ForeignKeyCheck.Violations(connection, table.Name) > before[table.Name]))
        {
            throw new BackupException(
                BackupErrorId.RowsNotRestored, table.ToString(),
                $"Rows of '{table}' would refer to rows that are not in '{target.Path}'. Nothing was changed. Bring those rows back first, with a command of their own, because -Where applies to every table of -Table; or use -RowAction SideTable.");
        }

        context.Cancellation.ThrowIfCancellationRequested();
        image.RequireRead();
        transaction.Commit();
        return done;
    }

    /// <summary>Reads the rows once before the transaction, which holds up the application's writers: no network may be waited for in it.</summary>
    private static void Fetch(SqliteConnection connection, IReadOnlyList<(SqliteName Name, TableShape Shape)> tables, RestoreRowsOptions options)
    {
        foreach (var (name, shape) in tables)
        {
            var rows = Wanted(name, shape.Columns, options.Where, withoutIndexes: options.Action == RowAction.SideTable);
            _ = SqlStatement.Run(connection, $"SELECT * FROM {rows}");
        }
    }

    private static RestoredRows Copy(
        SqliteConnection connection,
        (SqliteName Name, TableShape Shape) table,
        BackupMetadata backup,
        RestoreTarget target,
        RestoreRowsOptions options)
    {
        var done = new RestoredRows { BackupId = backup.Id, Database = target.Path, Table = table.Name.ToString(), Into = table.Name.ToString() };
        if (options.Action == RowAction.SideTable)
        {
            // Names that begin with sqlite_ belong to SQLite.
            var beside = SqliteName.Parse($"{table.Name}{(table.Name == SqliteName.Parse("sqlite") ? "-" : "_")}{backup.Id}");
            return done with { Into = beside.ToString(), Inserted = PutBeside(connection, table, beside, options.Where) };
        }

        // Checked again in the transaction, because the application may have changed the table meanwhile.
        var match = TableList.Read(connection, "main").TryShape(table.Name) is { } now
            ? RowMatch.TryFind(connection, table.Name, (There, table.Shape), ("main", now))
            : null;
        return match is null
            ? throw Misfit(table.Name, target, "it changed meanwhile")
            : done with
            {
                Replaced = options.Action == RowAction.Replace && Replacement(connection, table, match, options.Where) is { } replacement
                    ? SqlStatement.Run(connection, replacement)
                    : 0,
                Inserted = SqlStatement.Run(connection, Insertion(table, match, options.Where)),
            };
    }

    private static string Insertion((SqliteName Name, TableShape Shape) table, RowMatch match, string? where)
    {
        var name = table.Name.Quoted;
        var columns = Columns(table.Shape, match);
        return
            $"INSERT INTO main.{name} ({TableShape.List(columns)}) SELECT {TableShape.List(columns.Select(column => column.InQuery), "b.")} FROM {Wanted(table.Name, columns, where)} AS b WHERE NOT EXISTS (SELECT 1 FROM main.{name} AS m WHERE {match.Same("m", "b", ofQuery: true)})";
    }

    /// <summary>Returns the statement that replaces values; null if there are none.</summary>
    private static string? Replacement(SqliteConnection connection, (SqliteName Name, TableShape Shape) table, RowMatch match, string? where)
    {
        // A key that is the rowid is the same in both rows, so SQLite need not move the row for it.
        List<SqliteName> values = table.Shape.IsKeyRowId ? [.. table.Shape.Columns.Except(match.Key)] : [.. table.Shape.Columns];
        if (values.Count == 0)
        {
            return null;
        }

        var (name, wanted) = (table.Name.Quoted, Wanted(table.Name, Columns(table.Shape, match), where));
        var (same, differs) = (match.Same("m", "b", ofQuery: true), RowMatch.Differs(values, "m", "b", ofQuery: true));

        // To update from a table, SQLite first notes the keys and the new values in one row, which has a limited number of columns.
        return Math.Max(1, match.Key.Count) + values.Count > MostColumns(connection)
            ? $"UPDATE main.{name} AS m SET ({TableShape.List(values)}) = (SELECT {TableShape.List(values.Select(column => column.InQuery), "b.")} FROM {wanted} AS b WHERE {same}) WHERE EXISTS (SELECT 1 FROM {wanted} AS b WHERE {same} AND ({differs}))"
            : $"UPDATE main.{name} AS m SET {string.Join(", ", values.Select(column => $"{column.Quoted} = b.{column.InQuery.Quoted}"))} FROM {wanted} AS b WHERE {same} AND ({differs})";
    }

    private static int MostColumns(SqliteConnection connection)
    {
        const int limitOfColumns = 2;
        return SQLitePCL.raw.sqlite3_limit(connection.Handle, limitOfColumns, -1);
    }

    private static long PutBeside(SqliteConnection connection, (SqliteName Name, TableShape Shape) table, SqliteName beside, string? where)
    {
        var comparisons = StandInCollations.Comparisons;
        _ = SqlStatement.Run(
            connection,
            $"CREATE TABLE main.{beside.Quoted} AS SELECT {string.Join(", ", table.Shape.Columns.Select(column => $"{column.InQuery.Quoted} AS {column.Quoted}"))} FROM {Wanted(table.Name, table.Shape.Columns, where, withoutIndexes: where is not null)}");

        // SQLite gives a column named true or false another name in a query.
        foreach (var (place, column) in table.Shape.Columns.Index().Where(column => SqliteName.Fold(column.Item.Text) is "true" or "false"))
        {
            var named = SqlStatement.List(connection, $"PRAGMA main.table_info({beside.Quoted})", row => row.Name(1))[place];
            _ = SqlStatement.Run(connection, $"ALTER TABLE main.{beside.Quoted} RENAME COLUMN {named.Quoted} TO {column.Quoted}");
        }

        return StandInCollations.Comparisons == comparisons
            ? SqlStatement.Number(connection, $"SELECT count(*) FROM main.{beside.Quoted}")
            : throw new BackupException(
                BackupErrorId.RowsNotRestored, table.Name.ToString(),
                $"-Where compares '{table.Name}' by a collation that only its application has. Nothing was changed. Write COLLATE BINARY after the column's name to compare bytes, or omit -Where.");
    }

    private static IReadOnlyList<SqliteName> Columns(TableShape shape, RowMatch match) => match.IsRowId ? [.. match.Key, .. shape.Columns] : shape.Columns;

    // An index may be in an order that only its application has, and then SQLite does not find what it looks for.
    private static string Wanted(SqliteName table, IReadOnlyList<SqliteName> columns, string? where, bool withoutIndexes = false) =>
        $"(SELECT {string.Join(", ", columns.Select(column => $"{column.Quoted} AS {column.InQuery.Quoted}"))} FROM {There}.{table.Quoted}{(withoutIndexes ? " NOT INDEXED" : string.Empty)} WHERE (\n{SqlText.ParseNames(where ?? "1")}\n))";

    private static BackupException NotFound(SqliteName table, string where, TableList tables)
    {
        var there = tables.Ordinary.Select(name => name.ToString()).Order(StringComparer.Ordinal).ToList();
        var known = there.Count == 0 ? "It has no tables." : $"Give one of its tables: {ShortList.Of(there)}.";
        return new BackupException(
            BackupErrorId.TableNotFound, table.ToString(),
            $"There is no ordinary table '{table}' in {where}. {known}{(tables.IsOfVirtual(table) ? " The tables in which a virtual table stores its rows must fit each other: restore the whole backup to a new file instead." : string.Empty)}");
    }

    private static BackupException Fault(SqliteException exception, RestoreTarget target, RestoreRowsOptions options) =>
        exception.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED
            ? new BackupException(
                BackupErrorId.DestinationLocked, target.Path,
                $"'{target.Path}' was locked by another process for the whole -LockTimeout. It was not changed. Try again, or give a longer -LockTimeout.",
                exception)
            : exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_NOTADB
            ? new BackupException(
                BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidData, target.Path,
                $"'{target.Path}' is not an SQLite database, or is encrypted. It was not changed. Give the path of the database with -Into.", exception)
            : CompanionFiles.WhatStandsInTheWay(target.Path, exception.SqliteErrorCode) is { } stranger
            ? new BackupException(
                BackupErrorId.DestinationNotWritable, target.Path, $"The rows could not be restored into '{target.Path}', which was not changed: {stranger}",
                exception)
            : new BackupException(
                BackupErrorId.RowsNotRestored, string.Join(", ", options.Tables),
                $"The rows could not be restored into '{target.Path}', which was not changed: {exception.Message.TrimEnd('.')}. {NextStep(exception, options.Action)}",
                exception);

    private static string NextStep(SqliteException exception, RowAction action) =>
        exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_CORRUPT ? "It is damaged: restore the whole backup with -Destination."
        : action == RowAction.SideTable ? "Correct that, or restore the whole backup to a new file with -Destination, and copy the rows from there."
        : exception.Message.Contains("no such collation", StringComparison.Ordinal) || StandInFunctions.Missing(exception) is not null
            ? "Only its application has that. Use -RowAction SideTable, and let the application copy the rows from there."
        : "Correct that, or use -RowAction SideTable.";
}
