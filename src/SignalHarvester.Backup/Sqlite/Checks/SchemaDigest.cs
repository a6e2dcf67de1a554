using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The content of a database as SQL shows it: a digest of its schema, and the number of rows in its tables.</summary>
internal static class SchemaDigest
{
    /// <summary>
    /// Returns SHA-256, in lower-case hex, over type, name, table and SQL of every object of the schema, in the order of the
    /// schema table, each field followed by a zero byte. Invalid UTF-8 counts as U+FFFD, as it has from the beginning. Two
    /// schemas that differ only in that still differ in the image's own checksum.
    /// </summary>
    public static string Compute(SqliteConnection connection)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            for (var field = 0; field < 4; field++)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(reader.IsDBNull(field) ? string.Empty : reader.GetString(field)));
                hash.AppendData([0]);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Counts the rows of every table that is stored in the file itself. Virtual tables may need missing modules.</summary>
    public static SortedDictionary<string, long> CountRows(SqliteConnection connection)
    {
        var tables = SqlStatement.List(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0", row => row.Name(0));
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            counts[table.ToString()] = SqlStatement.Number(connection, $"SELECT count(*) FROM {table.Quoted}");
        }

        return counts;
    }
}
