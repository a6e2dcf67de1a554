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
        // To SQLite a name is the same however its ASCII letters are written.
        var objects = new Dictionary<string, (string Type, string Name, string? Before, string? After)>(StringComparer.OrdinalIgnoreCase);
        foreach (var schema in (string[])["main", Later])
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT type, name, coalesce(sql, '') FROM {schema}.sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
            using var rows = command.ExecuteReader();
            while (rows.Read())
            {
                var (type, name, sql) = (rows.GetString(0), rows.GetString(1), rows.GetString(2));
                var known = objects.GetValueOrDefault(type + ' ' + name);
                objects[type + ' ' + name] = schema == Later ? (type, name, known.Before, sql) : (type, name, sql, null);
            }
        }

        return [.. objects.Values.OrderBy(item => item.Name, StringComparer.Ordinal).ThenBy(item => item.Type, StringComparer.Ordinal)];
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
            ({ } left, { } right) when RowMatch.TryFind(connection, name, ("main", left), (Later, right)) is { } match => Rows(found, left, right, match),
            _ => found with
            {
                Change = DifferenceKind.Changed,
                RowsAdded = Count(Later, name),
                RowsRemoved = Count("main", name),
                Detail = "no key tells the rows of both states apart, so all count as removed and added",
            },
        };
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private BackupDifference Rows(BackupDifference found, TableShape earlier, TableShape later, RowMatch match)
    {
        var table = SqliteConnections.Quote(found.Name);
        var common = earlier.Columns.Intersect(later.Columns, StringComparer.OrdinalIgnoreCase).ToList();
        var (added, removed) = (Missing(Later, "main"), Missing("main", Later));
        var changed = SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM main.{table} AS a JOIN {Later}.{table} AS b ON {match.Same("a", "b")} WHERE {RowMatch.Differs(common, "a", "b")}");
        var apart = earlier.Columns.Except(later.Columns, StringComparer.OrdinalIgnoreCase).Concat(later.Columns.Except(earlier.Columns, StringComparer.OrdinalIgnoreCase)).ToList();
        List<string> details = [];
        if (match.IsRowId && earlier.Key.Count > 0)
        {
            details.Add("its primary key holds NULLs, so rows go by their rowid");
        }

        if (apart.Count > 0)
        {
            details.Add($"columns of one state alone are not compared: {string.Join(", ", apart)}");
        }

        return found with
        {
            RowsAdded = added,
            RowsRemoved = removed,
            RowsChanged = changed,
            Change = found.SchemaChanged || added + removed + changed > 0 ? DifferenceKind.Changed : DifferenceKind.None,
            Detail = details.Count == 0 ? null : string.Join("; ", details),
        };

        long Missing(string here, string there) =>
            SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM {here}.{table} AS a WHERE NOT EXISTS (SELECT 1 FROM {there}.{table} AS b WHERE {match.Same("a", "b")})");
    }

    private long Count(string schema, string table) => SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM {schema}.{SqliteConnections.Quote(table)}");
}
