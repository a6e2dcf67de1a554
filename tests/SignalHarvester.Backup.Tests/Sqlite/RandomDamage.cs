using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>Damages a database in a random way: its bytes, the entries of an index, rows behind an index, or its schema.</summary>
internal static class RandomDamage
{
    /// <summary>Does one damage; the database may also stay sound, where there is nothing to damage.</summary>
    /// <returns>What was done.</returns>
    public static string Do(string path, Random random)
    {
        try
        {
            return random.Next(8) switch
            {
                0 => AddLongEntry(path, random),
                7 => ChangeHeader(path, random),
                1 or 2 => ChangeByte(path, random),
                3 => ChangeRowsBehindIndex(path, random),
                4 => ChangeSchema(path, random),
                _ => ChangeEntries(path, random),
            };
        }
        catch (SqliteException exception)
        {
            return exception.Message;
        }
    }

    private static string ChangeByte(string path, Random random)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        var place = random.Next(100, (int)file.Length);
        file.Position = place;
        var value = file.ReadByte();
        file.Position = place;
        var changed = random.Next(3) == 0 ? value ^ (1 << random.Next(8)) : random.Next(256);
        file.WriteByte((byte)changed);
        return $"byte {place}: {value} is {changed}";
    }

    /// <summary>A value of an entry gets another type: a random byte is seldom one that means anything there.</summary>
    private static string ChangeHeader(string path, Random random)
    {
        const byte LeafOfIndex = 10;
        const int LargestNumberedType = 13;
        var image = File.ReadAllBytes(path);
        var pageSize = BinaryPrimitives.ReadUInt16BigEndian(image.AsSpan(16));
        var pages = Enumerable.Range(1, (image.Length / pageSize) - 1).Select(page => page * pageSize)
            .Where(page => image[page] == LeafOfIndex && BinaryPrimitives.ReadUInt16BigEndian(image.AsSpan(page + 3)) > 0).ToList();
        if (pages.Count == 0)
        {
            return "no entry";
        }

        var start = pages[random.Next(pages.Count)];
        var cell = start + BinaryPrimitives.ReadUInt16BigEndian(
            image.AsSpan(start + 8 + (2 * random.Next(BinaryPrimitives.ReadUInt16BigEndian(image.AsSpan(start + 3))))));

        // The length of the record is one byte, or two in a long one; the length of its header is one.
        var header = cell + (image[cell] < 0x80 ? 1 : 2);
        var place = Math.Min(header + 1 + random.Next(Math.Max(image[header] - 1, 1)), image.Length - 1);
        var (before, after) = (image[place], (byte)random.Next(LargestNumberedType + 1));
        image[place] = after;
        File.WriteAllBytes(path, image);
        return $"type {place}: {before} is {after}";
    }

    private static string ChangeEntries(string path, Random random)
    {
        using var connection = Databases.Open(path);
        var indexes = IndexDefinition.Of(connection, TableDefinition.All(connection)).Where(index => index.RootPage > 0).ToList();
        if (indexes.Count == 0)
        {
            return "no index";
        }

        var index = indexes[random.Next(indexes.Count)];
        using var tree = new IndexTree(connection, index);
        var count = SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM {tree.Name}");
        var columns = Enumerable.Range(0, index.Columns.Count).Select(column => $"c{column}").ToList();
        var entry =
            $"({string.Join(", ", columns)}) = (SELECT {string.Join(", ", columns)} FROM {tree.Name} LIMIT 1 OFFSET {random.NextInt64(Math.Max(count, 1))})";
        var column = columns[random.Next(columns.Count)];
        var change = random.Next(8) switch
        {
            0 => $"DELETE FROM {tree.Name} WHERE {entry}",
            1 => $"UPDATE OR REPLACE {tree.Name} SET {column} = {Value(random)} WHERE {entry}",
            2 => $"UPDATE OR REPLACE {tree.Name} SET {column} = upper({column}) WHERE {entry}",
            3 =>
                $"INSERT OR IGNORE INTO {tree.Name} SELECT {string.Join(", ", columns.Select((name, place) => name == column ? Value(random) : name))} FROM {tree.Name} WHERE {entry}",
            4 => $"UPDATE OR REPLACE {tree.Name} SET {column} = {column} + 1 WHERE {entry}",
            5 => $"UPDATE OR REPLACE {tree.Name} SET {column} = {column} || ' ' WHERE {entry}",
            6 =>
                $"UPDATE OR REPLACE {tree.Name} SET {columns[^1]} = (SELECT {columns[^1]} FROM {tree.Name} LIMIT 1 OFFSET {random.NextInt64(Math.Max(count, 1))}) WHERE {entry}",
            _ => $"UPDATE OR REPLACE {tree.Name} SET {column} = CAST({column} AS {Any(["TEXT", "BLOB", "INT", "REAL"], random)}) WHERE {entry}",
        };
        Databases.Execute(connection, change);
        return $"index {index.Name.Text}: {change}";
    }

    /// <summary>An entry becomes one with a value too many, which SQLite takes for the number of its row.</summary>
    private static string AddLongEntry(string path, Random random)
    {
        using var connection = Databases.Open(path);
        var indexes = IndexDefinition.Of(connection, TableDefinition.All(connection)).Where(index => index.RootPage > 0).ToList();
        if (indexes.Count == 0)
        {
            return "no index";
        }

        var index = indexes[random.Next(indexes.Count)];
        var columns = string.Join(", ", Enumerable.Range(0, index.Columns.Count).Select(column => $"c{column}"));
        ImposterSchema.Define(connection, index.RootPage, $"CREATE TABLE longer({columns}, behind, PRIMARY KEY({columns})) WITHOUT ROWID");
        var value = random.Next(3) == 0 ? $"c{index.Columns.Count - 1}" : Value(random);
        var change = $"UPDATE longer SET behind = {value} WHERE ({columns}) = (SELECT {columns} FROM longer LIMIT 1 OFFSET {random.Next(20)})";
        Databases.Execute(connection, change);
        ImposterSchema.Forget(connection);
        return $"index {index.Name.Text}: {change}";
    }

    /// <summary>The rows change while the schema does not have the index.</summary>
    private static string ChangeRowsBehindIndex(string path, Random random)
    {
        var index = "";
        using (var connection = Databases.Open(path))
        {
            index = Databases.Scalar(
                connection, $"SELECT coalesce((SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL LIMIT 1 OFFSET {random.Next(4)}), '')");
            if (index.Length == 0)
            {
                return "no index";
            }

            Databases.Execute(connection, $"""
                PRAGMA writable_schema = ON;
                CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = '{index}';
                DELETE FROM sqlite_schema WHERE name = '{index}';
                """);
        }

        string change;
        using (var connection = Databases.Open(path))
        {
            var table = Databases.Scalar(connection, "SELECT tbl_name FROM kept");
            var column = Databases.Scalar(connection, $"""
                SELECT name FROM pragma_table_info('{table}') LIMIT 1 OFFSET {random.Next(6)} % (SELECT count(*) FROM pragma_table_info('{table}'))
                """);
            var where = $"WHERE {column} IS (SELECT {column} FROM {table} LIMIT 1 OFFSET {random.Next(30)})";
            change = Any([$"DELETE FROM {table} {where}", $"UPDATE OR IGNORE {table} SET {column} = {Value(random)} {where}",
                $"INSERT OR IGNORE INTO {table}({column}) VALUES ({Value(random)})"], random);
            try
            {
                Databases.Execute(connection, change);
            }
            catch (SqliteException exception)
            {
                change = exception.Message;
            }

            Databases.Execute(connection, "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; DROP TABLE kept;");
        }

        return $"behind {index}: {change}";
    }

    private static string ChangeSchema(string path, Random random)
    {
        using var connection = Databases.Open(path);
        var change = random.Next(7) switch
        {
            0 => "SET sql = replace(sql, ' COLLATE NOCASE', '')",
            1 => "SET sql = replace(sql, ' COLLATE RTRIM', ' COLLATE NOCASE')",
            2 => "SET sql = replace(sql, ' DESC', '')",
            3 => "SET sql = replace(sql, 'CREATE INDEX', 'CREATE UNIQUE INDEX')",
            4 => "SET sql = substr(sql, 1, instr(sql, ' WHERE ') - 1)",
            5 => "SET sql = replace(sql, 'c0', 'c1')",
            _ =>
                $"SET rootpage = (SELECT rootpage FROM sqlite_schema o WHERE o.type = 'index' AND o.tbl_name = sqlite_schema.tbl_name ORDER BY o.rootpage * {random.Next(1, 97)} % 97 LIMIT 1)",
        };
        var which = string.Create(
            CultureInfo.InvariantCulture,
            $"type = 'index' AND sql IS NOT NULL AND sql <> '' {(change.Contains("WHERE '", StringComparison.Ordinal) ? "AND sql LIKE '% WHERE %'" : "")}");
        Databases.Execute(connection, $"PRAGMA writable_schema = ON; UPDATE sqlite_schema {change} WHERE {which}");
        return $"schema: {change}";
    }

    private static string Value(Random random) => Any(
        ["NULL", "0", "1", "'a'", "'A'", "'ab '", "x'00'", "1.5", "-1e300", "9223372036854775807", "'zzz'"], random);

    private static string Any(string[] choices, Random random) => choices[random.Next(choices.Length)];
}
