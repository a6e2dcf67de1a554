using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>
/// A database whose application brings its own collations, functions and modules is backed up, verified and restored all
/// the same; what could not be checked is said, and real damage is found.
/// </summary>
public sealed class ForeignSqlTests : IDisposable
{
    private const string Function = "function myf";
    private const string Collation = "collation my.coll'";
    private const string Porter = "CREATE TABLE t(name TEXT); CREATE VIRTUAL TABLE note USING fts5(body, tokenize = 'porter'); INSERT INTO note VALUES ('one')";

    private static readonly Dictionary<string, Schema> Schemas = new()
    {
        ["index of a collation"] = new("CREATE TABLE t(name TEXT COLLATE \"my.coll'\"); CREATE INDEX t_name ON t(name)", Collation, "index t_name"),
        ["unique column of a collation"] = new("CREATE TABLE t(name TEXT UNIQUE COLLATE \"my.coll'\")", Collation, "index sqlite_autoindex_t_1"),
        ["collation named in the index"] = new("CREATE TABLE t(name TEXT); CREATE INDEX t_name ON t(name COLLATE \"my.coll'\")", Collation, "index t_name"),
        ["collation within an index's expression"] = new(
            "CREATE TABLE t(name TEXT); CREATE INDEX t_late ON t((name < 'b' COLLATE \"my.coll'\"))", Collation, "index t_late"),
        ["collation of a column within an index's expression"] = new(
            "CREATE TABLE t(name TEXT COLLATE \"my.coll'\"); CREATE INDEX t_late ON t((name < 'b'))", Collation, "index t_late"),
        ["collation of a column within an index's condition"] = new(
            "CREATE TABLE t(name TEXT COLLATE \"my.coll'\", n DEFAULT 1); CREATE INDEX t_late ON t(n) WHERE name < 'b'", Collation, "index t_late"),
        ["key of a collation"] = new(
            "CREATE TABLE t(name TEXT COLLATE \"my.coll'\" PRIMARY KEY, x DEFAULT 1) WITHOUT ROWID; CREATE INDEX t_x ON t(x)", Collation,
            "index sqlite_autoindex_t_1", "index t_x"),
        ["constraint with a collation"] = new("CREATE TABLE t(name TEXT CHECK (name <= 'a' COLLATE \"my.coll'\"))", "CHECK constraints"),
        ["constraint with a function"] = new("CREATE TABLE t(name TEXT CHECK (myf(name) IS NOT NULL))", "CHECK constraints"),
        ["computed column"] = new("CREATE TABLE t(name TEXT, twice TEXT AS (myf(name)))", Function, "column t.twice"),
        ["computed column that is never NULL"] = new("CREATE TABLE t(name TEXT, twice TEXT NOT NULL AS (myf(name))) STRICT", Function, "column t.twice"),
        ["indexed computed column"] = new("CREATE TABLE t(name TEXT, twice AS (myf(name)) UNIQUE)", Function, "index sqlite_autoindex_t_1", "column t.twice"),
        ["stored column"] = new("CREATE TABLE t(name TEXT, twice TEXT AS (myf(name)) STORED); CREATE INDEX t_twice ON t(twice)"),
        ["index of a function"] = new("CREATE TABLE t(name TEXT); CREATE INDEX t_twice ON t(myf(name))", Function, "index t_twice"),
        ["unique index of a function"] = new("CREATE TABLE t(name TEXT); CREATE UNIQUE INDEX t_twice ON t(myf(name), name)", Function, "index t_twice"),
        ["partial index"] = new("CREATE TABLE t(name TEXT); CREATE INDEX t_some ON t(name) WHERE myf(name) > 'bb'", Function, "index t_some"),
        ["partial index of what is not NULL"] = new(
            "CREATE TABLE t(name TEXT); CREATE INDEX t_some ON t(name) WHERE myf(name) IS NULL", Function, "index t_some"),
        ["function with a strange name"] = new("CREATE TABLE t(name TEXT, twice TEXT AS (\"my \"\"f' é\"(name)))", "function my \"f' é", "column t.twice"),
        ["view, trigger and default"] = new(
            "CREATE TABLE t(name TEXT, more DEFAULT (myf('x'))); CREATE VIEW v AS SELECT myf(name) FROM t ORDER BY name COLLATE \"my.coll'\"; CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT myf(new.name); END"),
        ["text in double quotes"] = new(
            "CREATE TABLE t(name TEXT CHECK (name <> 'x'), checksum TEXT AS (name || 'x') UNIQUE); CREATE INDEX t_some ON t(name) WHERE name <> 'x'",
            "CHECK constraints")
        { Forge = ("'x'", "\"x\"") },
        ["module"] = new(Porter, "virtual table note: no such module: myapp") { Forge = ("fts5", "myapp") },
        ["tokenizer"] = new(Porter, "virtual table note: no such tokenizer: myapp") { Forge = ("porter", "myapp") },
        ["arguments of a tokenizer"] = new(Porter, "virtual table note: error in tokenizer constructor") { Forge = ("porter", "unicode61 myapp 1") },
        ["older tokenizer"] = new(
            "CREATE TABLE t(name TEXT); CREATE VIRTUAL TABLE note USING fts4(body, tokenize=porter); INSERT INTO note VALUES ('one')",
            "virtual table note: unknown tokenizer: myapp")
        { Forge = ("porter", "myapp") },
        ["all at once"] = new(
            "CREATE TABLE t(name TEXT COLLATE \"my.coll'\" CHECK (myf(name) <> ''), twice TEXT AS (myf(name))); CREATE INDEX t_name ON t(name)"
                + Porter["CREATE TABLE t(name TEXT)".Length..],
            "CHECK constraints", Collation, Function, "index t_name", "column t.twice", "virtual table note: no such tokenizer: myapp")
        { Forge = ("porter", "myapp") },
    };

    // Of which nothing can be compared in table t, so that all of it is told beside the damage.
    private const string Foreign = """
        CREATE TABLE t(name TEXT COLLATE "my.coll'", n INTEGER, twice TEXT NOT NULL AS (myf(name)));
        CREATE INDEX t_name ON t(name);
        CREATE INDEX t_n ON t(n);
        CREATE INDEX t_minus ON t(-n);
        CREATE TABLE u(n INTEGER NOT NULL);
        CREATE VIRTUAL TABLE note USING fts5(body, tokenize = 'porter');
        CREATE VIRTUAL TABLE good USING fts5(body);
        WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 500) INSERT INTO t SELECT printf('name %d', n * 7919 % 1000), n FROM i;
        INSERT INTO u VALUES (1);
        INSERT INTO note VALUES ('hello world');
        INSERT INTO good VALUES ('hello world');
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'porter', 'myapp');
        """;

    private readonly Scene scene = new();

    public static TheoryData<string> Names => [.. Schemas.Keys];

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_good_database_is_backed_up_verified_and_restored_and_what_was_left_out_is_said(string name)
    {
        var schema = Schemas[name];
        Make(
            schema.Sql,
            "INSERT INTO t(name) VALUES ('a'), ('b'), ('c')",
            $"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '{schema.Forge.From.Replace("'", "''", StringComparison.Ordinal)}', '{schema.Forge.To}')");

        var backup = scene.Create();
        schema.AssertSaid(backup.Verification, "Integrity");
        Assert.True(backup.Verified);
        Assert.Equal(3, backup.RowCounts!["t"]);

        var outcome = scene.Verify(scene.Directory.Get(backup.Id));
        Assert.Null(outcome.Fault);
        schema.AssertSaid(outcome.Backup.Verification, "Integrity");

        // Over itself, through SQLite, with a safety backup of it; and to where nothing is.
        var over = scene.RestoreTo(scene.Database, backup);
        schema.AssertSaid(over.Verification, "Integrity");
        var aside = scene.RestoreTo(scene["new.db"], backup);
        schema.AssertSaid(aside.Verification, "Integrity");
        Assert.Equal(backup.Checksum, ImageHash.Of(scene["new.db"]));
        Assert.DoesNotContain(scene.Directory.List().Backups, kept => kept.IsSourceCorrupt || !kept.Verified);
    }

    [Fact]
    public void A_row_that_breaks_a_rule_of_the_application_is_no_damage()
    {
        Make("CREATE TABLE t(n INTEGER CHECK (n > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (-1)");

        var backup = scene.Create();

        Assert.True(backup.Verified);
        Assert.Contains("not checked: CHECK constraints", backup.Verification.Single(check => check.Check == "Integrity").Detail, StringComparison.Ordinal);
        scene.RestoreTo(scene.Database, backup);
    }

    [Fact]
    public void The_database_that_the_damage_is_done_to_is_good()
    {
        Make(Foreign);
        Assert.True(scene.Create().Verified);
    }

    [Theory]
    [InlineData(
        "index t_n",
        "UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('t_n', 't_minus')) - rootpage WHERE name IN ('t_n', 't_minus')")]
    [InlineData(
        "wrong # of entries in index t_name",
        "CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 't_name'; DELETE FROM sqlite_schema WHERE name = 't_name'; -; INSERT INTO t VALUES ('one more', 501); INSERT INTO sqlite_schema SELECT * FROM kept")]
    [InlineData("malformed inverted index for FTS5 table main.good", "UPDATE good_content SET c0 = 'bye'")]
    [InlineData("virtual table good: SQLite Error 1: 'vtable constructor failed: good'", "DELETE FROM sqlite_schema WHERE name = 'good_config'")]
    [InlineData("Page", "DELETE FROM sqlite_schema WHERE name = 'u'")]
    public void Real_damage_is_found_all_the_same(string finding, string damage)
    {
        Make(Foreign);
        foreach (var session in damage.Split("-;"))
        {
            Make("PRAGMA writable_schema = ON; " + session);
        }

        var error = Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create());

        Assert.Contains(finding, error.Message, StringComparison.Ordinal);
        Assert.Equal(finding.Contains("t_name", StringComparison.Ordinal), error.Message.Contains("missing from index t_name", StringComparison.Ordinal));
        Assert.DoesNotContain("t.twice;", error.Message, StringComparison.Ordinal);
    }

    private void Make(params string[] statements)
    {
        using var connection = Databases.Open(scene.Database);
        connection.CreateCollation("my.coll'", (left, right) => -string.CompareOrdinal(left, right));
        connection.CreateFunction("myf", (string? value) => value + value, isDeterministic: true);
        connection.CreateFunction("my \"f' é", (string? value) => value + value, isDeterministic: true);
        foreach (var statement in statements)
        {
            Databases.Execute(connection, statement);
        }
    }

    /// <summary>A schema, and what the check must say that it left out, and for want of what.</summary>
    private sealed record Schema(string Sql, params string[] LeftOut)
    {
        /// <summary>What is written into the stored schema in another's place: what SQLite would not have taken.</summary>
        public (string From, string To) Forge { get; init; } = ("nothing", "nothing");

        public void AssertSaid(IEnumerable<VerificationCheck> checks, string check)
        {
            var detail = checks.Single(made => made.Check == check).Detail;
            Assert.Matches("^(integrity|quick)_check ", detail);
            Assert.Contains("is ok", detail, StringComparison.Ordinal);
            Assert.True(LeftOut.Length > 0 == detail.Contains("not checked", StringComparison.Ordinal), detail);
            Assert.All(LeftOut, part => Assert.Contains(part, detail, StringComparison.Ordinal));
        }
    }
}
