using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.TestSupport;
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
