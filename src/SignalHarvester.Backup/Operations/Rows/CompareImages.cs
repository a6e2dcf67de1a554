using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// Compares two states of a database, files or stored images that nobody changes: their schemas object by object, their tables row by row. The
/// primary key identifies a row, or the rowid if there is none. SQLite joins the two by their indexes, so nothing is held in
/// memory. Keys in an order that only the application knows are compared by their bytes, through an index made for this.
/// </summary>
internal sealed class CompareImages : IDisposable
{
    private const string Earlier = "main";
    private const string Later = "later";
    private const string ByBytes = "shbackup_by_bytes";

    private readonly SqliteConnection connection;
    private readonly TableList earlierTables;
    private readonly TableList laterTables;
    private readonly string reference;
    private readonly string difference;
    private readonly Func<Exception?> failure;

    private CompareImages(SqliteConnection connection, string reference, string difference, Func<Exception?> failure)
    {
        this.connection = connection;
        this.failure = failure;
        earlierTables = TableList.Read(connection, Earlier);
        laterTables = TableList.Read(connection, Later);
        this.reference = reference;
        this.difference = difference;
    }

    /// <summary>Opens two states.</summary>
    /// <param name="earlier">The immutable URI of the earlier state.</param>
    /// <param name="later">The immutable URI of the later state.</param>
    /// <param name="reference">The name of the earlier state in messages.</param>
    /// <param name="difference">The name of the later state in messages.</param>
    /// <param name="failure">Returns why a state could not be read; null if both could.</param>
    /// <param name="cancellation">Stops every statement.</param>
    public static CompareImages Open(
        string earlier, string later, string reference, string difference, Func<Exception?> failure, CancellationToken cancellation)
    {
        var connection = SqliteConnections.OpenUri(earlier, cancellation);
        try
        {
            using var attach = connection.CreateCommand();
            attach.CommandText = $"ATTACH $later AS {Later}";
            attach.Parameters.AddWithValue("$later", later);
            attach.ExecuteNonQuery();
            return new CompareImages(connection, reference, difference, failure);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Returns the objects of the two schemas, in the order of their names, each with both definitions; null for a missing one.</summary>
    public IReadOnlyList<SchemaObject> Objects()
    {
        var objects = new Dictionary<(string Type, SqliteName Name), SchemaObject>();
        foreach (var schema in (string[])[Earlier, Later])
        {
            using var rows = SqlStatement.Prepare(
                connection, $"SELECT type, name, coalesce(sql, '') FROM {schema}.sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
            while (rows.Step())
            {
                var (type, name, sql) = (rows.Text(0), rows.Name(1), rows.Text(2));
                var before = schema == Earlier ? sql : objects.GetValueOrDefault((type, name))?.Before;
                objects[(type, name)] = new SchemaObject(type, name, before, schema == Later ? sql : null);
            }
        }

        return [.. objects.Values.OrderBy(item => item.Name.ToString(), StringComparer.Ordinal).ThenBy(item => item.Type, StringComparer.Ordinal)];
    }

    /// <summary>Compares one object.</summary>
    public BackupDifference Compare(SchemaObject item)
    {
        var (type, name, before, after) = item;
        var found = new BackupDifference
        {
            Name = name.ToString(),
            ObjectType = type,
            Reference = reference,
            Difference = difference,
            SchemaChanged = before != after,
            Change = before is null ? DifferenceKind.Added
                : after is null ? DifferenceKind.Removed
                : before != after ? DifferenceKind.Changed
                : DifferenceKind.None,
        };
        if (type != "table")
        {
            return found;
        }

        try
        {
            var (earlier, later) = (earlierTables.TryShape(name, withShadow: true), laterTables.TryShape(name, withShadow: true));
            var match = earlier is null || later is null ? null : Match(name, earlier, later);
            var comparisons = StandInCollations.Comparisons;
            var compared = Rows(found, item, earlier, later, match);
            return StandInCollations.Comparisons == comparisons ? compared : Unknown("only the application knows the order of its rows");
        }
        catch (SqliteException exception) when (failure() is null && exception.SqliteErrorCode is SQLitePCL.raw.SQLITE_ERROR or SQLitePCL.raw.SQLITE_CORRUPT)
        {
            // If SQLite refuses one table, or the table is damaged, that says nothing about the others.
            return Unknown(exception.Message.TrimEnd('.'));
        }

        BackupDifference Unknown(string reason) => found with { Change = DifferenceKind.Unknown, Detail = $"its rows cannot be compared: {reason}" };
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private RowMatch? Match(SqliteName table, TableShape earlier, TableShape later)
    {
        var match = RowMatch.TryFind(connection, table, (Earlier, earlier), (Later, later));
        var isReplaceable = match is { IsRowId: false, IsOrderKnown: true } && earlier.Key.Any(column => column.Collation != SqliteCollations.Binary);
        return isReplaceable && !(IsInOrder(Earlier, table) && IsInOrder(Later, table)) ? match! with { IsOrderKnown = false } : match;
    }

    /// <summary>Whether SQLite finds the rows of a table by an order of its own that an application may have replaced.</summary>
    private bool IsInOrder(string schema, SqliteName table)
    {
        try
        {
            return StoredOrder.Contradiction(connection, schema, table, StoredOrder.ReplaceableOrders(connection, schema, table)) is null;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            // SQLite lacks a function that something else in the table uses.
            return false;
        }
    }

    private BackupDifference Rows(BackupDifference found, SchemaObject table, TableShape? earlier, TableShape? later, RowMatch? match)
    {
        if ((table.Before is not null && earlier is null) || (table.After is not null && later is null))
        {
            return found with { Detail = "a virtual table: its content is in tables of its own, which are compared" };
        }

        return (earlier, later) switch
        {
            (null, { }) => found with { RowsAdded = Count(Later, table.Name) },
            ({ }, null) => found with { RowsRemoved = Count(Earlier, table.Name) },
            ({ } left, { } right) when match is not null => Rows(found, table.Name, left, right, match),
            _ => found with
            {
                Change = DifferenceKind.Changed,
                RowsAdded = Count(Later, table.Name),
                RowsRemoved = Count(Earlier, table.Name),
                Detail = "no key identifies the rows in both states, so all count as removed and added",
            },
        };
    }

    private BackupDifference Rows(BackupDifference found, SqliteName name, TableShape earlier, TableShape later, RowMatch match)
    {
        List<SqliteName> common = [.. earlier.Columns.Intersect(later.Columns)];
        List<SqliteName> apart = [.. earlier.Columns.Except(later.Columns), .. later.Columns.Except(earlier.Columns)];
        var (added, removed) = (Missing(Later, Earlier), Missing(Earlier, Later));
        var changed = SqlStatement.Number(
            connection,
            $"{Prepared(Later, common)}SELECT count(*) FROM {Earlier}.{name.Quoted} AS a JOIN {Other(Later)} AS b ON {Same()} WHERE {RowMatch.Differs(common, "a", "b", ofQuery: !match.IsOrderKnown)}");
        List<string> details = [];
        if (match.IsRowId && earlier.Key.Count > 0)
        {
            details.Add("its primary key contains NULLs, so rows are matched by rowid");
        }

        if (!match.IsOrderKnown)
        {
            details.Add("the order of its primary key is the application's own, or differs between the states, so rows are matched by the bytes of their keys");
        }

        if (apart.Count > 0)
        {
            details.Add($"columns of only one state are not compared: {ShortList.Of(apart)}");
        }

        return found with
        {
            RowsAdded = added,
            RowsRemoved = removed,
            RowsChanged = changed,
            Change = found.SchemaChanged || added + removed + changed > 0 ? DifferenceKind.Changed : DifferenceKind.None,
            Detail = details.Count == 0 ? null : string.Join("; ", details),
        };

        long Missing(string here, string there) => SqlStatement.Number(
            connection,
            $"{Prepared(there, [])}SELECT count(*) FROM {here}.{name.Quoted} AS a WHERE NOT EXISTS (SELECT 1 FROM {Other(there)} AS b WHERE {Same()})");

        string Prepared(string schema, IEnumerable<SqliteName> columns) =>
            match.IsOrderKnown ? string.Empty : $"WITH {ByBytes} AS MATERIALIZED (SELECT {match.ByBytes(columns)} FROM {schema}.{name.Quoted}) ";

        string Other(string schema) => match.IsOrderKnown ? $"{schema}.{name.Quoted}" : ByBytes;

        string Same() => match.IsOrderKnown ? match.Same("a", "b", ofQuery: false) : match.SameBytes("a", "b");
    }

    private long Count(string schema, SqliteName table) => SqlStatement.Number(connection, $"SELECT count(*) FROM {schema}.{table.Quoted}");
}
