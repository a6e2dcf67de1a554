using System.Text;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.TestSupport;
using SQLitePCL;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>The check of a database beside its findings: what it shows, what goes wrong around it, and what it leaves to SQLite.</summary>
public sealed class IntegrityCheckTests : IDisposable
{
    // Enough rows that SQLite calls back within a statement.
    private const string Rows = """
        CREATE TABLE t(a, b);
        WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 40000) INSERT INTO t SELECT n, n % 7 FROM i;
        CREATE INDEX t_a ON t(a);
        CREATE INDEX t_b ON t(b);
        """;

    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void It_shows_its_parts_and_nothing_afterwards()
    {
        using var connection = Make(Rows);
        var shown = new List<IntegrityProgress>();

        var report = IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None) { Report = shown.Add });
        var parts = shown.Select(progress => progress.Part).Distinct().ToList();
        var count = shown.Count;
        _ = SqliteConnections.ScalarInt64(connection, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 100000) SELECT sum(n) FROM i");

        Assert.Equal("quick_check with the contents of 2 indexes", report.Check);
        Assert.Equal(["structure", "index 1 of 2", "index 2 of 2"], parts);
        Assert.Contains(shown, progress => progress.DoneBytes > 0);
        Assert.Equal(count, shown.Count);
    }

    [Theory]
    [InlineData("structure")]
    [InlineData("index 2 of 2")]
    public void What_the_receiver_of_the_progress_throws_comes_out(string part)
    {
        using var connection = Make(Rows);
        var options = new IntegrityOptions(CancellationToken.None)
        {
            // While SQLite runs: the part itself begins between two statements.
            Report = progress =>
            {
                if (progress.Part == part && Environment.StackTrace.Contains("TryShow", StringComparison.Ordinal))
                {
                    throw new NotSupportedException(part);
                }
            },
        };

        Assert.Equal(part, Assert.Throws<NotSupportedException>(() => IntegrityCheck.Run(connection, options)).Message);
    }

    [Fact]
    public void A_connection_that_cannot_be_opened_leaves_the_check_to_SQLite()
    {
        Assert.SkipWhen(Environment.ProcessorCount == 1, "with one processor there is one connection");
        using var connection = Make(Rows);

        var report = IntegrityCheck.Run(
            connection, new IntegrityOptions(CancellationToken.None) { OpenAnother = _ => throw new SqliteException("unable to open database file", 14) });

        Assert.Equal(("integrity_check", 0), (report.Check, report.Damage.Count));
    }

    [Fact]
    public void Any_other_fault_of_a_connection_comes_out_as_it_is()
    {
        Assert.SkipWhen(Environment.ProcessorCount == 1, "with one processor there is one connection");
        using var connection = Make(Rows);

        Assert.Throws<NotSupportedException>(
            () => IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None) { OpenAnother = _ => throw new NotSupportedException() }));
    }

    [Fact]
    public void A_table_with_too_much_in_its_indexes_is_left_to_SQLite_and_no_other_is()
    {
        static string Columns(int from, int count) => string.Join(", ", Enumerable.Range(from, count).Select(column => $"c{column}"));
        using var connection = Make($"""
            {Rows}
            CREATE TABLE wide({Columns(0, 1990)});
            CREATE INDEX wide_first ON wide({Columns(0, 900)});
            CREATE INDEX wide_last ON wide({Columns(900, 900)});
            INSERT INTO wide(c0, c900) VALUES (1, 2), (3, 4);
            CREATE TABLE long(a);
            CREATE INDEX long_a ON long(a);
            INSERT INTO long VALUES (zeroblob(2000000)), ('short');
            """);

        var report = IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None));

        // That a record is long is known only when it comes, so that the whole check is made anew.
        Assert.Equal(("integrity_check", 0), (report.Check, report.Damage.Count));
        SqliteConnections.Execute(connection, "DELETE FROM long WHERE length(a) > 1000");
        Assert.Equal(
            "quick_check with the contents of 3 indexes and integrity_check of wide",
            IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None)).Check);
    }

    [Theory]
    [InlineData("CREATE INDEX i ON t(a) WHERE b > desc")]
    [InlineData("CREATE INDEX i ON t(a) WHERE desc")]
    [InlineData("CREATE INDEX i ON t(a || desc, desc DESC, (a || b) ASC, a IS desc DESC) WHERE b IS NOT asc")]
    [InlineData("CREATE INDEX i ON t(a) WHERE \"t\".\"b\" > 2")]
    [InlineData("CREATE INDEX i ON t(a) WHERE b > 2;")]
    [InlineData("CREATE INDEX i ON t(a) WHERE b > 2; AND a > 3")]
    [InlineData("CREATE INDEX i ON t(a) WHERE b > 2\0 AND a > 3")]
    [InlineData("CREATE INDEX i ON t(a); WHERE b > 2")]
    [InlineData("CREATE INDEX i ON t(a) --\0\n WHERE b > 2")]
    public void The_text_of_an_index_is_understood_as_SQLite_does(string text)
    {
        var made = text.Split('\0', ';')[0];
        using (var connection = Make($"""
            CREATE TABLE t(a, b, desc, asc);
            INSERT INTO t VALUES (1, 2, 0, 1), (2, 3, 1, NULL), (3, 4, 5, 6);
            {made}
            ;
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = CAST(x'{Convert.ToHexString(Encoding.UTF8.GetBytes(text))}' AS TEXT) WHERE name = 'i';
            """))
        {
        }

        using var read = Databases.Open(files["app.db"]);
        Assert.Equal(["ok"], SqliteConnections.Strings(read, "PRAGMA integrity_check"));

        var report = IntegrityCheck.Run(read, new IntegrityOptions(CancellationToken.None));
        var thorough = IntegrityCheck.Run(read, new IntegrityOptions(CancellationToken.None) { IsThorough = true });

        Assert.Equal("quick_check with the content of 1 index is ok", report.Summary);
        Assert.Equal("integrity_check is ok", thorough.Summary);
    }

    [Theory]
    [InlineData("t(a)", 1, 0)]
    [InlineData("t(b, a)", 2, 0)]
    [InlineData("t(b DESC, a COLLATE NOCASE DESC)", 2, 1)]
    [InlineData("w(a)", 1, 1)]
    [InlineData("w(b COLLATE RTRIM, a)", 2, 0)]
    [InlineData("n(a, b DESC)", 1, 0)]
    [InlineData("many(a, b)", 1, 31)]
    public void An_entry_that_reads_right_but_is_never_found_is_damage(string columns, int place, int entry)
    {
        // The type 11 of a value is reserved (https://sqlite.org/fileformat2.html#record_format ). It reads as NULL, but does not equal it.
        const byte Reserved = 11;
        long page;
        using (var connection = Make($"""
            CREATE TABLE t(a, b);
            INSERT INTO t VALUES (NULL, 'x'), (NULL, 'y');
            CREATE TABLE w(k PRIMARY KEY, a, b) WITHOUT ROWID;
            INSERT INTO w VALUES ('k', NULL, 'x'), ('l', NULL, 'y');
            CREATE TABLE many(a, b);
            WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 64) INSERT INTO many SELECT NULL, n FROM i;
            CREATE TABLE n(a, b);
            INSERT INTO n VALUES (NULL, 1), (NULL, 2), (NULL, 3), (NULL, 4), (NULL, 5), (NULL, 6), (NULL, 7), (NULL, 8), (NULL, 9);
            CREATE INDEX i ON {columns};
            """))
        {
            page = SqliteConnections.ScalarInt64(connection, "SELECT rootpage FROM sqlite_schema WHERE name = 'i'");
            Assert.Equal(
                "quick_check with the content of 1 index is ok", IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None)).Summary);
        }

        // A cell is the length of the record, then the record: the length of its header, and a type for each value.
        using (var file = File.Open(files["app.db"], FileMode.Open, FileAccess.ReadWrite))
        {
            var start = (page - 1) * 4096;
            file.Position = start + 8 + (2 * entry);
            file.Position = start + (file.ReadByte() << 8) + file.ReadByte() + 1 + place;
            Assert.Equal(0, file.ReadByte());
            file.Position--;
            file.WriteByte(Reserved);
        }

        using var damaged = Databases.Open(files["app.db"]);
        Assert.NotEqual(["ok"], SqliteConnections.Strings(damaged, "PRAGMA integrity_check"));
        Assert.NotEmpty(IntegrityCheck.Run(damaged, new IntegrityOptions(CancellationToken.None)).Damage);
    }

    [Fact]
    public void Trees_that_are_many_and_small_are_left_to_SQLite_which_reads_them_all_at_once()
    {
        using var connection = Make(string.Concat(Enumerable.Range(0, 300).Select(table => $"""
            CREATE TABLE t{table}(a, b);
            CREATE INDEX i{table} ON t{table}(b) WHERE a > 1;
            INSERT INTO t{table} VALUES (1, 1), (2, 2);
            """)));

        Assert.Equal("integrity_check is ok", IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None)).Summary);

        // SQLite itself does not miss the rows of such an index whose condition has changed.
        Databases.Execute(connection, """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, '> 1', '> 5') WHERE name = 'i299';
            PRAGMA writable_schema = RESET;
            """);
        Assert.Equal(
            ["index i299 has 1 entries for 0 rows"], IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None)).Damage);
    }

    [Fact]
    public void No_view_of_the_database_is_compiled()
    {
        using var connection = Make($"""
            {Rows}
            CREATE TABLE w(a PRIMARY KEY, b) WITHOUT ROWID;
            CREATE INDEX w_b ON w(b) WHERE a > 1;
            CREATE VIEW v AS SELECT a AS x FROM t;
            """);
        var compiled = new List<string>();
        _ = raw.sqlite3_set_authorizer(
            connection.Handle,
            (_, _, _, _, _, view) =>
            {
                compiled.AddRange(new[] { view.utf8_to_string() ?? "" }.Where(name => name == "v"));
                return raw.SQLITE_OK;
            },
            null);

        var reports = new[] { false, true }.Select(
            thorough => IntegrityCheck.Run(connection, new IntegrityOptions(CancellationToken.None) { IsThorough = thorough }).Summary).ToList();

        Assert.Equal(["quick_check with the contents of 3 indexes is ok", "integrity_check is ok"], reports);
        Assert.Empty(compiled);
    }

    private SqliteConnection Make(string sql)
    {
        using (var connection = Databases.Open(files["app.db"]))
        {
            Databases.Execute(connection, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;" + sql);
        }

        // By another connection, which has read no page yet.
        return Databases.Open(files["app.db"]);
    }
}
