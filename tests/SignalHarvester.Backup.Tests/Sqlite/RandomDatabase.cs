using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>A small database with a random schema and random rows, made again from the same seed.</summary>
internal sealed class RandomDatabase(int seed)
{
    private static readonly string[] Types = ["", "INT", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(9)"];
    private static readonly string[] StrictTypes = ["INT", "INTEGER", "TEXT", "REAL", "BLOB", "ANY"];
    private static readonly string[] Collations = ["", "", "", " COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"];
    private static readonly string[] Words =
    [
        "a", "A", "ab", "aB", "Ab ", "ab  ", "b", "ä", "Ä", "[", "`", "z\0a", "Z\0b", "", " ", "10", "1e1", "héllo", "😀",
    ];

    private static readonly double[] Reals = [0.5, -0.0, 1.0, 10.0, 9007199254740993.0, 9223372036854775807.0, -9223372036854775808.0, 1e300, -1e300, 1e-300,
        double.PositiveInfinity, double.NegativeInfinity, 3.0e18, 0.1];

    private static readonly long[] Integers = [0, 1, -1, 10, 127, 128, 9007199254740993, long.MaxValue, long.MinValue, long.MaxValue - 1, 3000000000000000000];

    private readonly Random random = new(seed);

    /// <summary>The random numbers of the database, for what is done to it.</summary>
    public Random Random => random;

    /// <summary>Makes the database.</summary>
    public void Create(string path)
    {
        using var connection = Databases.Open(path);
        Databases.Execute(connection, $"""
            PRAGMA page_size = {512 << random.Next(4)};
            PRAGMA encoding = '{Any(["UTF-8", "UTF-8", "UTF-8", "UTF-8", "UTF-8", "UTF-8", "UTF-16le", "UTF-16be"])}';
            PRAGMA auto_vacuum = {random.Next(3)};
            PRAGMA synchronous = OFF;
            PRAGMA journal_mode = MEMORY;
            """);
        var tables = random.Next(1, 4);
        for (var table = 0; table < tables; table++)
        {
            Databases.Execute(connection, "BEGIN");
            CreateTable(connection, $"t{table}");
            Databases.Execute(connection, "COMMIT");
        }
    }

    private void CreateTable(SqliteConnection connection, string table)
    {
        var (isStrict, isWithoutRowId) = (random.Next(4) == 0, random.Next(4) == 0);
        var types = Enumerable.Range(0, random.Next(1, 6)).Select(_ => Any(isStrict ? StrictTypes : Types)).ToList();
        var definitions = new List<string>();
        var key = random.Next(4);
        for (var column = 0; column < types.Count; column++)
        {
            var isNumber = !isWithoutRowId && key == 0 && column == 0;
            definitions.Add(isNumber
                ? $"c{column} INTEGER PRIMARY KEY"
                : $"c{column} {types[column]}{Any(Collations)}{(random.Next(5) == 0 ? $" NOT NULL DEFAULT {Literal(types[column], isStrict)}" : "")}");
        }

        var columns = Enumerable.Range(0, types.Count).Select(column => $"c{column}").ToList();
        if (random.Next(3) == 0)
        {
            var type = isStrict ? "ANY" : Any(Types);
            definitions.Add($"g0 {type}{Any(Collations)} AS ({Expression(columns)}) {Any(["VIRTUAL", "STORED"])}");
        }

        if (isWithoutRowId || key == 1)
        {
            definitions.Add($"PRIMARY KEY({Keys(columns, expressions: false)})");
        }

        if (random.Next(4) == 0)
        {
            definitions.Add($"UNIQUE({Keys(columns, expressions: false)})");
        }

        var options = new[] { isStrict ? "STRICT" : null, isWithoutRowId ? "WITHOUT ROWID" : null }.OfType<string>();
        var created = TryExecute(connection, $"CREATE TABLE {table}({string.Join(", ", definitions)}) {string.Join(", ", options)}");
        if (!created)
        {
            Databases.Execute(connection, $"CREATE TABLE {table}({string.Join(", ", columns)})");
        }

        if (created && definitions.Exists(definition => definition.StartsWith("g0", StringComparison.Ordinal)))
        {
            columns.Add("g0");
        }

        var (early, late) = (random.Next(4), random.Next(3));
        CreateIndexes(connection, table, columns, early, 0);
        var rows = random.Next(3) == 0 ? random.Next(4) : random.Next(4, 120);
        var inserted = columns.Where(column => column != "g0").ToList();
        for (var row = 0; row < rows; row++)
        {
            _ = TryExecute(connection, $"INSERT OR IGNORE INTO {table}({string.Join(", ", inserted)}) VALUES ({string.Join(", ", inserted.Select((_, place) =>
                Literal(place < types.Count ? types[place] : "", isStrict)))})");
        }

        if (random.Next(4) == 0)
        {
            _ = TryExecute(connection, $"ALTER TABLE {table} ADD COLUMN desc {(isStrict ? "ANY" : Any(Types))}{Any(Collations)} DEFAULT 7");
            columns.Add("desc");
        }

        CreateIndexes(connection, table, columns, late, early);
        if (random.Next(3) == 0)
        {
            _ = TryExecute(connection, $"DELETE FROM {table} WHERE c0 > {Literal("", false)}");
        }
    }

    private void CreateIndexes(SqliteConnection connection, string table, List<string> columns, int count, int from)
    {
        for (var index = from; index < from + count; index++)
        {
            string[] conditions =
            [
                $"{Any(columns)} IS NOT NULL", $"{Any(columns)} > {Literal("", false)}", $"length({Any(columns)}) > 1",
                $"{Literal("", false)} < {Any(columns)}",
            ];
            var condition = random.Next(4) == 0 ? " WHERE " + Any(conditions) : "";
            _ = TryExecute(connection,
                $"CREATE {(random.Next(4) == 0 ? "UNIQUE " : "")}INDEX {table}_i{index} ON {table}({Keys(columns, expressions: true)}){condition}");
        }
    }

    private string Keys(List<string> columns, bool expressions)
    {
        var chosen = columns.OrderBy(_ => random.Next()).Take(random.Next(1, Math.Min(columns.Count, 3) + 1));
        return string.Join(", ", chosen.Select(column =>
            (expressions && random.Next(6) == 0 ? Expression(columns) : column) + Any(Collations) + Any(["", "", " ASC", " DESC"])));
    }

    private string Expression(List<string> columns) =>
        Any([$"length({Any(columns)})", $"lower({Any(columns)})", $"{Any(columns)} || 'x'", $"abs(1) + {Any(columns)}", $"typeof({Any(columns)})"]);

    private string Literal(string type, bool isStrict)
    {
        var kind = isStrict && type != "ANY"
            ? type switch { "TEXT" => 2, "REAL" => 1, "BLOB" => 3, _ => 0 }
            : random.Next(10) == 0 ? 4 : random.Next(4);
        return kind switch
        {
            0 => Any(Integers) is var number && random.Next(3) == 0 ? Number(number) : Number(random.Next(-20, 20)),
            1 => Any(Reals) is var real && double.IsInfinity(real)
                ? (real > 0 ? "9e999" : "-9e999")
                : real.ToString("E17", CultureInfo.InvariantCulture),
            2 => $"CAST(x'{Convert.ToHexString(Encoding.UTF8.GetBytes(Text()))}' AS TEXT)",
            3 => $"x'{Convert.ToHexString(Encoding.UTF8.GetBytes(Text()))}'",
            _ => "NULL",
        };
    }

    private string Text() => random.Next(12) == 0 ? new string(Any(["x", "Y", " "])[0], random.Next(300, 3000)) + Any(Words) : Any(Words) + Any(Words);

    private static string Number(long number) => number == long.MinValue ? "(-9223372036854775807 - 1)" : number.ToString(CultureInfo.InvariantCulture);

    private static bool TryExecute(SqliteConnection connection, string sql)
    {
        try
        {
            Databases.Execute(connection, sql);
            return true;
        }
        catch (SqliteException)
        {
            // A combination that SQLite does not allow, such as a duplicate in a unique index.
            return false;
        }
    }

    private T Any<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];
}
