using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// Compares two database files that nobody changes: their schemas object by object, their tables row by row. Rows go by the
/// primary key, or by the rowid where there is none; SQLite joins the two by their indexes, and nothing is held in memory.
/// </summary>
internal sealed class CompareImages : IDisposable
{
    private const string Later = "later";

    private readonly SqliteConnection connection;
    private readonly string reference;
    private readonly string difference;

    private CompareImages(SqliteConnection connection, string reference, string difference)
    {
        this.connection = connection;
        this.reference = reference;
        this.difference = difference;
    }

    /// <summary>Opens two files.</summary>
    /// <param name="earlier">The path of the earlier state.</param>
    /// <param name="later">The path of the later state.</param>
    /// <param name="reference">What the earlier state is called.</param>
    /// <param name="difference">What the later state is called.</param>
    /// <param name="cancellation">Stops every statement.</param>
    public static CompareImages Open(string earlier, string later, string reference, string difference, CancellationToken cancellation)
    {
        var connection = SqliteConnections.OpenImmutable(earlier, cancellation);
        try
        {
            using var attach = connection.CreateCommand();
            attach.CommandText = $"ATTACH $later AS {Later}";
            attach.Parameters.AddWithValue("$later", SqliteConnections.ImmutableUri(later));
            attach.ExecuteNonQuery();
            return new CompareImages(connection, reference, difference);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The objects of the two schemas, in the order of their names, each with its definitions; null where it is not there.</summary>
    public IReadOnlyList<(string Type, string Name, string? Before, string? After)> Objects()
    {
        var objects = new SortedDictionary<(string Type, string Name), (string? Before, string? After)>(Comparer<(string Type, string Name)>.Create(
            (a, b) => string.CompareOrdinal(a.Name, b.Name) is var order and not 0 ? order : string.CompareOrdinal(a.Type, b.Type)));
        foreach (var schema in (string[])["main", Later])
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT type, name, coalesce(sql, '') FROM {schema}.sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
            using var rows = command.ExecuteReader();
            while (rows.Read())
            {
                var key = (rows.GetString(0), rows.GetString(1));
                var known = objects.GetValueOrDefault(key);
                objects[key] = schema == Later ? (known.Before, rows.GetString(2)) : (rows.GetString(2), known.After);
            }
        }

        return [.. objects.Select(entry => (entry.Key.Type, entry.Key.Name, entry.Value.Before, entry.Value.After))];
    }

    /// <summary>Compares one object.</summary>
    public BackupDifference Compare(string type, string name, string? before, string? after)
    {
        var found = new BackupDifference
        {
            Name = name,
            ObjectType = type,
            Reference = reference,
            Difference = difference,
            SchemaChanged = before != after,
            Change = before is null ? DifferenceKind.Added : after is null ? DifferenceKind.Removed : before != after ? DifferenceKind.Changed : DifferenceKind.None,
        };
        if (type != "table")
        {
            return found;
        }

        var (earlier, later) = (TableShape.TryRead(connection, "main", name), TableShape.TryRead(connection, Later, name));
        if ((before is not null && earlier is null) || (after is not null && later is null))
        {
            return found with { Detail = "a virtual table: what it stores is in tables of its own, which are compared" };
        }

        return (earlier, later) switch
        {
            (null, { }) => found with { RowsAdded = Count(Later, name) },
            ({ }, null) => found with { RowsRemoved = Count("main", name) },
            ({ } left, { } right) when !left.Keys.SequenceEqual(right.Keys, StringComparer.OrdinalIgnoreCase) => found with
            {
                RowsAdded = Count(Later, name),
                RowsRemoved = Count("main", name),
                Detail = "its primary key is another one, so all rows count as removed and added",
            },
            ({ } left, { } right) => Rows(found, left, right),
            _ => found,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private BackupDifference Rows(BackupDifference found, TableShape earlier, TableShape later)
    {
        var table = SqliteConnections.Quote(found.Name);
        var common = earlier.Columns.Intersect(later.Columns, StringComparer.OrdinalIgnoreCase).Except(earlier.Keys, StringComparer.OrdinalIgnoreCase).Select(SqliteConnections.Quote).ToList();
        var sameKey = string.Join(" AND ", earlier.Keys.Select(SqliteConnections.Quote).Select(key => $"a.{key} IS b.{key}"));

        // By bytes and by kind: to SQLite, 1 and 1.0 are the same, and texts may be whatever their collation says.
        var differs = string.Join(" OR ", common.Select(column => $"typeof(a.{column}) <> typeof(b.{column}) OR a.{column} COLLATE BINARY IS NOT b.{column}"));
        var (added, removed) = (Missing(Later, "main"), Missing("main", Later));
        var changed = common.Count == 0 ? 0 : SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM main.{table} AS a JOIN {Later}.{table} AS b ON {sameKey} WHERE {differs}");
        var apart = earlier.Columns.Except(later.Columns, StringComparer.OrdinalIgnoreCase).Concat(later.Columns.Except(earlier.Columns, StringComparer.OrdinalIgnoreCase)).ToList();
        return found with
        {
            RowsAdded = added,
            RowsRemoved = removed,
            RowsChanged = changed,
            Change = found.SchemaChanged || added + removed + changed > 0 ? DifferenceKind.Changed : DifferenceKind.None,
            Detail = apart.Count == 0 ? null : $"columns of one state alone are not compared: {string.Join(", ", apart)}",
        };

        long Missing(string here, string there) =>
            SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM {here}.{table} AS a WHERE NOT EXISTS (SELECT 1 FROM {there}.{table} AS b WHERE {sameKey})");
    }

    private long Count(string schema, string table) => SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM {schema}.{SqliteConnections.Quote(table)}");
}
