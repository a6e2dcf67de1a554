using System.Buffers.Binary;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Tests.Encryption;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>
/// What integrity_check calls damage that is none: the application works, no page is damaged, and often one statement mends it.
/// Nights go on, each of them says it, and real damage of the same places is found as ever.
/// </summary>
public sealed class InconsistencyTests : IDisposable
{
    private const string Note = "CREATE TABLE note(id INTEGER PRIMARY KEY, body); INSERT INTO note VALUES (1, 'one'), (2, 'two');";
    private const string OverNote = Note + "CREATE VIRTUAL TABLE s USING fts4(content=\"note\", body); INSERT INTO s(s) VALUES ('rebuild');";
    private const string BehindNote = OverNote + "UPDATE note SET body = 'three' WHERE id = 2; DELETE FROM note WHERE id = 1;";
    private const string Names = "INSERT INTO t(name) VALUES ('Zürich'), ('ÄRGER'), ('ärger2'), ('Öl'), ('apfel'), ('Ätz');";
    private const string Rebuild = "INSERT INTO \"s\"(\"s\") VALUES('rebuild') repairs it";

    private static readonly Dictionary<string, (string Sql, string[] Said)> Cases = new()
    {
        ["full-text index behind its table"] = (BehindNote, ["full-text index s is older than its table 'note'", Rebuild]),
        ["full-text index named like the table that it indexes"] = (
            "CREATE TABLE s_content(docid INTEGER PRIMARY KEY, body); INSERT INTO s_content VALUES (1, 'one'); CREATE VIRTUAL TABLE s USING fts4(content=\"s_content\", body); INSERT INTO s(s) VALUES ('rebuild'); UPDATE s_content SET body = 'two'",
            ["full-text index s is older than its table 's_content'", Rebuild]),
        ["full-text index over a view that shows other rows"] = (
            Note
                + "CREATE VIEW v AS SELECT id AS rowid, body FROM note; CREATE VIRTUAL TABLE s USING fts4(body, content=v); INSERT INTO s(docid, body) VALUES (7, 'seven')",
            ["full-text index s is older than its table 'v'", Rebuild]),
        ["full-text index over a table that is gone"] = (OverNote + "DROP TABLE note",
            ["full-text index s cannot be compared with its table 'note': that table is missing"]),
        ["full-text index over a column that is gone"] = (OverNote + "ALTER TABLE note RENAME body TO text",
            ["full-text index s cannot be compared with its table 'note': that table has other columns"]),
        ["index of a function that the application replaces"] = (
            "CREATE TABLE t(name); CREATE INDEX t_lower ON t(lower(name));" + Names,
            ["index t_lower has entries for 3 rows", "otherwise those rows or the index are damaged"]),
        ["condition with a function that the application replaces"] = (
            "CREATE TABLE t(name); CREATE INDEX t_lower ON t(name) WHERE lower(name) = name; INSERT INTO t VALUES ('a'), ('Ä')",
            ["index t_lower has entries for 1 row"]),
        ["computed column of a function that the application replaces"] = (
            "CREATE TABLE t(name, l AS (lower(name))); CREATE INDEX t_l ON t(l);" + Names, ["index t_l has entries for 3 rows"]),
        ["collation that the application replaces"] = ("CREATE TABLE t(name TEXT COLLATE NOCASE UNIQUE);" + Names,
            ["index sqlite_autoindex_t_1 has 1 entry in an order that differs"]),
        ["collation that the application replaces, without rowids"] = (
            "CREATE TABLE t(id TEXT PRIMARY KEY DEFAULT (hex(randomblob(8))), name COLLATE NOCASE) WITHOUT ROWID; CREATE INDEX t_name ON t(name);" + Names,
            ["index t_name has 1 entry in an order that differs"]),
        ["collation that the application replaces, beside an expression"] = (
            "CREATE TABLE t(name TEXT COLLATE NOCASE); CREATE INDEX t_name ON t(name, length(name));" + Names,
            ["index t_name has 1 entry in an order that differs"]),
        ["collation of a primary key that the application replaces"] = (
            "CREATE TABLE t(name TEXT COLLATE NOCASE PRIMARY KEY, n DEFAULT 1) WITHOUT ROWID; CREATE INDEX t_n ON t(n);" + Names,
            ["table t has 1 of its rows in an order"]),
        ["numbers of an index that another processor computed"] = (
            "CREATE TABLE t(n REAL); CREATE INDEX t_n ON t(abs(n)); INSERT INTO t VALUES (0.1), (0.2)",
            ["index t_n has numbers that were rounded differently"]),
        ["column that cannot be computed for each row"] = (
            "CREATE TABLE t(doc TEXT); CREATE INDEX t_doc ON t(doc); INSERT INTO t(doc) VALUES ('{\"n\":1}'), ('{\"n\":'); ALTER TABLE t ADD COLUMN n INT AS (json_extract(doc, '$.n'))",
            ["the computed column t.n has no value of its type for some rows: SQLite Error 1: 'malformed JSON'"]),
        ["collation of people as a primary key beside an index"] = (
            "CREATE TABLE t(name TEXT COLLATE NOCASE PRIMARY KEY, n DEFAULT 1, body DEFAULT (zeroblob(500))) WITHOUT ROWID; CREATE INDEX t_n ON t(n);" + Names,
            ["table t has 1 of its rows in an order"]),
        ["column of another type, computed when it is read, in a STRICT table"] = (
            "CREATE TABLE t(doc TEXT) STRICT; CREATE INDEX t_doc ON t(doc); INSERT INTO t(doc) VALUES ('{\"n\":\"x\"}');"
                + Schema("CREATE TABLE t(doc TEXT, n INT AS (json_extract(doc, ''$.n''))) STRICT", "t"),
            ["the computed column t.n has no value of its type"]),
        ["columns with all the names of a row's number"] = (
            "CREATE TABLE t(rowid INT, oid INT, _rowid_ INT, name TEXT COLLATE NOCASE); CREATE INDEX t_name ON t(name);" + Names,
            ["index t_name has 1 entry in an order that differs"]),
        ["condition on the number of a row"] = (
            "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE); CREATE INDEX t_name ON t(name) WHERE \"rowid\" > 0;" + Names,
            ["index t_name has 1 entry in an order that differs"]),
        ["tables that are called like what is asked of SQLite"] = (
            "CREATE TABLE t(name TEXT COLLATE NOCASE); CREATE INDEX t_name ON t(name); CREATE TABLE pragma_index_list(a); CREATE TABLE pragma_table_xinfo(a); CREATE VIEW pragma_collation_list AS SELECT 1; CREATE TABLE \"shbackup tree 0\"(a);"
                + Names,
            ["index t_name has 1 entry in an order that differs"]),
        ["full-text index with comments in its statement"] = (
            Note
                + "CREATE VIRTUAL TABLE s USING /* x */ fts4(/* y */ content=\"note\", body); INSERT INTO s(s) VALUES ('rebuild'); UPDATE note SET body = 'three' WHERE id = 2",
            ["full-text index s is older than its table 'note'"]),
        ["NOT NULL that came later"] = (
            "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, NULL), (2, NULL);" + Schema("CREATE TABLE t(a, b NOT NULL)", "t"),
            ["NULL value in t.b, which its schema does not allow (2 times)"]),
        ["type that came later"] = (
            "CREATE TABLE t(a, b TEXT); CREATE INDEX t_b ON t(b); INSERT INTO t VALUES (1, '2020'), (2, 'x');" + Schema("CREATE TABLE t(a, b DATETIME)", "t"),
            ["TEXT value in t.b, which its schema does not allow"]),
        ["text that came later"] = ("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 5);" + Schema("CREATE TABLE t(a, b TEXT)", "t"), ["NUMERIC value in t.b"]),
        ["UNIQUE that came later"] = (
            "CREATE TABLE t(a); CREATE INDEX t_a ON t(a); INSERT INTO t VALUES (5), (5), (6);" + Schema("CREATE UNIQUE INDEX t_a ON t(a)", "t_a"),
            ["unique index t_a has 1 duplicate entry"]),
        ["more of it than SQLite names"] = (
            "CREATE TABLE t(a, b); WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 500) INSERT INTO t SELECT n, NULL FROM i;"
                + Schema("CREATE TABLE t(a, b NOT NULL)", "t"),
            ["NULL value in t.b, which its schema does not allow (500 times)"]),
        ["all at once"] = (
            BehindNote + "CREATE TABLE t(name, l NOT NULL DEFAULT 1); CREATE INDEX t_lower ON t(lower(name));" + Names,
            ["full-text index s is older than its table", "index t_lower has entries for"]),
    };

    private static readonly Dictionary<string, string> Silent = new()
    {
        ["full-text index that keeps no content"] = Note
            + "CREATE VIRTUAL TABLE s USING fts4(content='', body); INSERT INTO s(docid, body) SELECT id, body FROM note",
        ["full-text index that the application compresses"] =
            "CREATE VIRTUAL TABLE s USING fts4(body, compress=zip, uncompress=unzip); INSERT INTO s VALUES ('one')",
        ["full-text index of another version"] =
            "CREATE VIRTUAL TABLE s USING fts5(body); INSERT INTO s VALUES ('one'); UPDATE s_config SET v = 6 WHERE k = 'version'",
    };

    private readonly Scene scene = new();

    public static TheoryData<string> Names_of_cases => [.. Cases.Keys];

    public static TheoryData<string> Names_of_silent_cases => [.. Silent.Keys];

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(Names_of_cases))]
    public void A_sound_database_that_is_at_odds_with_itself_is_backed_up_and_restored_and_each_night_says_so(string name)
    {
        (var sql, var said) = Cases[name];
        Make(sql);

        var backup = scene.Create();
        var nextNight = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });

        foreach (var made in (BackupMetadata[])[backup, nextNight])
        {
            Assert.True(made is { Verified: true, VerificationLevel: VerificationLevel.Full, IsSourceCorrupt: false });
            AssertSaid(said, string.Join("; ", made.Inconsistencies));
            AssertSaid(said, made.Verification.Single(check => check.Check == "Integrity").Detail);
            Assert.Equal(made.Inconsistencies, scene.Directory.Get(made.Id).Inconsistencies);
        }

        Assert.Equal(2, scene.Warnings.Count(warning => warning.Contains("has inconsistencies: ", StringComparison.Ordinal)));
        Assert.All(scene.Warnings, warning => AssertSaid(said, warning));

        // A test finds the same, a quick one keeps it; and it restores: over itself, as pages that differ, and to where nothing is.
        var outcome = scene.Verify(scene.Directory.Get(backup.Id));
        Assert.Null(outcome.Fault);
        Assert.Equal(backup.Inconsistencies, outcome.Backup.Inconsistencies);
        Assert.Equal(backup.Inconsistencies, scene.Verify(scene.Directory.Get(backup.Id), VerificationLevel.Quick).Backup.Inconsistencies);
        var over = scene.RestoreTo(scene.Database, backup);
        AssertSaid(said, over.Verification.Single(check => check.Check == "Integrity").Detail);
        scene.Restore(backup, new RestoreOptions { Destination = scene.Database, Delta = true, LockTimeout = Scene.ShortWait });
        scene.RestoreTo(scene["new.db"], backup);
        Assert.Equal(backup.Checksum, ImageHash.Of(scene["new.db"]));
    }

    [Theory]
    [MemberData(nameof(Names_of_silent_cases))]
    public void What_only_its_application_can_check_is_left_out_and_named(string name)
    {
        Make(Silent[name]);

        var backup = scene.Create();

        Assert.True(backup.Verified);
        Assert.Contains("not checked: virtual table s: ", backup.Verification.Single(check => check.Check == "Integrity").Detail, StringComparison.Ordinal);
        scene.RestoreTo(scene.Database, backup);
    }

    [Fact]
    public void An_encrypted_backup_tells_that_there_is_something_and_not_what()
    {
        Make(BehindNote);
        using var keys = new AgeFiles();

        var backup = scene.Create(
            new CreateBackupOptions { Encryption = BackupEncryption.To([keys.Recipient]) },
            context: scene.Context() with { Identities = keys.Ring });

        AssertSaid([Rebuild], Assert.Single(backup.Inconsistencies));
        Assert.Equal(["not recorded, because the backup is encrypted"], scene.Directory.Get(backup.Id).Inconsistencies);
    }

    [Theory]
    [InlineData(
        "segments of a full-text index over a table", "malformed inverted index for FTS4 table main.s",
        OverNote + "UPDATE s_segdir SET root = x'00ffffffffff6f6e65'")]
    [InlineData(
        "zeros in a full-text index over a table", "malformed inverted index for FTS4 table main.s",
        OverNote + "UPDATE s_segdir SET root = zeroblob(length(root))")]
    [InlineData(
        "content of a full-text index", "VALUES('rebuild') repairs it",
        "CREATE VIRTUAL TABLE s USING fts4(body); INSERT INTO s VALUES ('one'); UPDATE s_content SET c0body = 'two'")]
    [InlineData(
        "content of a newer full-text index", "VALUES('rebuild') repairs it",
        "CREATE VIRTUAL TABLE s USING fts5(body); INSERT INTO s VALUES ('one'); UPDATE s_content SET c0 = 'two'")]
    [InlineData("blobs of a newer full-text index over a table", "fts5: corruption found", Note
        + "CREATE VIRTUAL TABLE s USING fts5(body, content=note); INSERT INTO s(s) VALUES ('rebuild'); UPDATE s_data SET block = x'00ffffff' WHERE id > 100")]
    [InlineData(
        "the version of a newer full-text index", "VALUES('rebuild') repairs it",
        "CREATE VIRTUAL TABLE s USING fts5(body); INSERT INTO s VALUES ('one'); UPDATE s_config SET v = 132 WHERE k = 'version'")]
    [InlineData(
        "the version of a newer full-text index, which is gone", "VALUES('rebuild') repairs it",
        "CREATE VIRTUAL TABLE s USING fts5(body); INSERT INTO s VALUES ('one'); DELETE FROM s_config WHERE k = 'version'")]
    [InlineData(
        "a value of another type than a STRICT table takes", "non-INT value in t.a (2 times)",
        "CREATE TABLE t(a); INSERT INTO t VALUES ('x'), ('y'); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a INT) STRICT' WHERE name = 't'")]
    [InlineData(
        "nodes of an R-tree", "In RTree main.r",
        "CREATE VIRTUAL TABLE r USING rtree(id, a, b); WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 500) INSERT INTO r SELECT n, n, n FROM i; UPDATE r_node SET data = zeroblob(length(data)) WHERE nodeno = 3")]
    [InlineData(
        "rows of an R-tree", "In RTree main.r",
        "CREATE VIRTUAL TABLE r USING rtree(id, a, b); INSERT INTO r VALUES (1, 1, 1), (2, 2, 2); DELETE FROM r_rowid WHERE rowid = 1")]
    [InlineData(
        "another index's root", "missing from index t_a",
        "CREATE TABLE t(a, b); CREATE INDEX t_a ON t(a); CREATE INDEX t_b ON t(b); INSERT INTO t VALUES (1, 2); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('t_a', 't_b')) - rootpage WHERE name IN ('t_a', 't_b')")]
    [InlineData(
        "an index without a function", "missing from index t_minus",
        "CREATE TABLE t(a, b); CREATE INDEX t_minus ON t(-a); CREATE INDEX t_b ON t(-b); INSERT INTO t VALUES (1, 2); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('t_minus', 't_b')) - rootpage WHERE name IN ('t_minus', 't_b')")]
    [InlineData(
        "damage behind what is none", "the entries of index t_b differ from the rows of t",
        "CREATE TABLE a(x); WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 99) INSERT INTO a SELECT NULL FROM i; CREATE TABLE t(a, b); CREATE INDEX t_a ON t(a); CREATE INDEX t_b ON t(b); INSERT INTO t VALUES (1, 2); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE a(x NOT NULL)' WHERE name = 'a'; UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('t_a', 't_b')) - rootpage WHERE name IN ('t_a', 't_b')")]
    public void Real_damage_in_such_a_place_is_found_named_and_refused(string what, string finding, string sql)
    {
        Make(sql);

        var error = Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create());

        Assert.True(error.Message.Contains(finding, StringComparison.Ordinal), $"{what}: {error.Message}");
        Assert.Empty(scene.Directory.List().Backups);
    }

    [Theory]
    [InlineData("CREATE TABLE t(name TEXT); CREATE INDEX t_name ON t(name COLLATE NOCASE)")]
    [InlineData("CREATE TABLE t(name TEXT); CREATE INDEX t_name ON t(lower(name), name)")]
    [InlineData(
        "CREATE TABLE t(name TEXT, state DEFAULT 'on hold (customer)'); CREATE INDEX t_name ON t(name) WHERE state = 'on hold (customer)' /* as of lower(state) */")]
    [InlineData("CREATE TABLE t(name TEXT, state DEFAULT 'open'); CREATE INDEX t_name ON t(name) WHERE lower(state) = 'open'")]
    [InlineData(
        "CREATE TABLE t(name TEXT, city TEXT COLLATE LOCALIZED DEFAULT 'x', deleted DEFAULT 0); CREATE INDEX t_name ON t(name) WHERE deleted = 0; CREATE INDEX t_city ON t(city)")]
    [InlineData("CREATE TABLE t(name TEXT COLLATE LOCALIZED); CREATE INDEX t_name ON t(name)")]
    [InlineData(
        "CREATE TABLE t(name TEXT, doc DEFAULT '{\"n\":'); CREATE INDEX t_name ON t(name); ALTER TABLE t ADD COLUMN n INT AS (json_extract(doc, '$.n'))")]
    public void A_changed_byte_in_an_index_is_damage_whatever_else_its_entries_rest_on(string schema)
    {
        Make(
            schema.Split("ALTER")[0] + "; INSERT INTO t(name) VALUES ('needle'), ('pin');"
                + (schema.Contains("ALTER", StringComparison.Ordinal) ? "ALTER" + schema.Split("ALTER")[1] : string.Empty));
        var file = File.ReadAllBytes(scene.Database);
        using (var connection = Databases.Open(scene.Database))
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT rootpage FROM sqlite_schema WHERE name = 't_name'";
            var page = file.AsSpan(4096 * (int)((long)command.ExecuteScalar()! - 1), 4096);
            page[page.LastIndexOf("needle"u8) + 2] ^= 1;
        }

        File.WriteAllBytes(scene.Database, file);

        var error = Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create());

        Assert.Contains("the entries of index t_name differ from the rows of t", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "CREATE TABLE t(name TEXT COLLATE NOCASE PRIMARY KEY, v TEXT) WITHOUT ROWID; CREATE INDEX t_v ON t(v); INSERT INTO t VALUES ('a', 'needle'), ('b', 'pin')",
        "t", "t_v")]
    [InlineData("CREATE TABLE t(name TEXT); CREATE INDEX t_lower ON t(lower(name)); INSERT INTO t VALUES ('needle'), ('pun')", "t", "t_lower")]
    [InlineData(
        "CREATE TABLE t(state TEXT, n); CREATE INDEX t_open ON t(n) WHERE state = 'needle'; INSERT INTO t VALUES ('needle', 1), ('pin', 2)", "t", "t_open")]
    public void A_changed_byte_in_a_row_is_damage_where_an_index_tells(string sql, string table, string index)
    {
        Make(sql);
        var file = File.ReadAllBytes(scene.Database);
        using (var connection = Databases.Open(scene.Database))
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT rootpage FROM sqlite_schema WHERE name = $table";
            command.Parameters.AddWithValue("$table", table);
            var page = file.AsSpan(4096 * (int)((long)command.ExecuteScalar()! - 1), 4096);
            page[page.LastIndexOf("needle"u8) + 2] ^= 1;
        }

        File.WriteAllBytes(scene.Database, file);

        var error = Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create());

        Assert.Contains(index, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_of_a_function_with_an_argument_more_than_SQLites_own_is_no_damage()
    {
        Make("CREATE TABLE t(name TEXT); CREATE INDEX t_name ON t(lower(name, 'tr_TR')); INSERT INTO t VALUES ('A')");

        var backup = scene.Create();

        AssertSaid(["index t_name has entries for 1 row"], Assert.Single(backup.Inconsistencies));
        Assert.True(scene.RestoreTo(scene["new.db"], backup).Verified);
    }

    [Fact]
    public void An_index_of_which_SQLite_misses_every_entry_is_judged_in_one_pass()
    {
        // SQLite looks for each of them in the whole index, which took a minute for as many.
        Make(
            "CREATE TABLE t(name TEXT); CREATE INDEX t_lower ON t(lower(name)); CREATE INDEX t_name ON t(name); WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 60000) INSERT INTO t SELECT printf('Ä%d', n) FROM i");

        var backup = scene.Create();

        Assert.Equal(
            ["index t_lower has entries for 60000 rows that differ from SQLite's own results: correct if the application has its own functions, otherwise those rows or the index are damaged"],
            backup.Inconsistencies);
    }

    [Fact]
    public void A_row_that_an_index_of_SQLites_own_functions_cannot_be_computed_for_is_damage()
    {
        Make("CREATE TABLE t(doc TEXT); CREATE INDEX t_doc ON t(json_extract(doc, '$.n')); CREATE TABLE u(n); INSERT INTO t VALUES ('{\"n\":1234}')");
        var file = File.ReadAllBytes(scene.Database);
        file[file.AsSpan().IndexOf("{\"n\":1234}"u8) + 3] ^= 4;
        File.WriteAllBytes(scene.Database, file);

        var error = Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create());

        Assert.Contains("index t_doc cannot be computed for every row of t, so a row is damaged", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s_segments", "fts4(content=\"note\", body)")]
    [InlineData("s_data", "fts5(body, content='note', content_rowid='id')")]
    [InlineData("s_node", "rtree(id, a, b)")]
    public void A_page_of_zeros_in_the_tables_behind_an_index_is_damage(string table, string module)
    {
        Make(
            "CREATE TABLE note(id INTEGER PRIMARY KEY, body); WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 3000) INSERT INTO note SELECT n, printf('w%d x%d', n * 7919, n * 104729) FROM i;"
            + $"CREATE VIRTUAL TABLE s USING {module};"
            + (module.StartsWith("rtree", StringComparison.Ordinal) ? "INSERT INTO s SELECT id, id, id FROM note" : "INSERT INTO s(s) VALUES ('rebuild')"));
        long page;
        using (var connection = Databases.Open(scene.Database))
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT rootpage FROM sqlite_schema WHERE name = $table";
            command.Parameters.AddWithValue("$table", table);
            page = (long)command.ExecuteScalar()!;
        }

        // A page of its own tree: where the root points first.
        var file = File.ReadAllBytes(scene.Database);
        var root = file.AsSpan((int)(page - 1) * 4096, 4096);
        Assert.Equal(5, root[0]);
        long child = BinaryPrimitives.ReadUInt32BigEndian(root[BinaryPrimitives.ReadUInt16BigEndian(root[12..])..]);
        file.AsSpan((int)(child - 1) * 4096, 4096).Clear();
        File.WriteAllBytes(scene.Database, file);

        Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create());
        var kept = scene.Create(new CreateBackupOptions { TolerateDamage = true });

        Assert.True(kept is { IsSourceCorrupt: true, Verified: false, Inconsistencies: [] });
        Assert.Contains($"page {child}", kept.Verification.Single(check => check.Check == "Integrity").Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_database_whose_header_states_no_valid_page_count_is_restored_over(bool delta)
    {
        Make(
            "PRAGMA page_size = 1024; CREATE TABLE t(a, b); WITH i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 300) INSERT INTO t SELECT n, hex(randomblob(40)) FROM i");
        AgeHeader();
        var backup = scene.Create();
        using (var user = Databases.Open(scene.Database))
        {
            // Which states the count anew, and makes the two headers differ.
            Databases.Execute(user, "DELETE FROM t WHERE a > 100");
        }

        var restored = scene.Restore(backup, new RestoreOptions { Destination = scene.Database, SafetyDirectory = scene.Directory, Delta = delta });

        Assert.All(restored.Verification, check => Assert.True(check.Passed, check.ToString()));
        scene.RestoreTo(scene["new.db"], backup);
        Assert.Equal(backup.Checksum, ImageHash.Of(scene["new.db"]));
        scene.Restore(backup, new RestoreOptions { Destination = scene["newer.db"], Verify = false });
        var safety = Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety && kept.DatabasePath == scene.Database);
        scene.RestoreTo(scene.Database, safety);
    }

    private static string Schema(string sql, string name) => $"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{sql}' WHERE name = '{name}'";

    private static void AssertSaid(IEnumerable<string> parts, string text) => Assert.All(parts, part => Assert.Contains(part, text, StringComparison.Ordinal));

    private void AgeHeader()
    {
        var file = File.ReadAllBytes(scene.Database);
        var counter = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(24));
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(24), counter + 7);
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(28), 3);
        File.WriteAllBytes(scene.Database, file);
    }

    private void Make(string statements)
    {
        using var connection = Databases.Open(scene.Database);
        connection.CreateFunction("lower", (string? text) => text?.ToLowerInvariant(), isDeterministic: true);
        connection.CreateFunction("lower", (string? text, string language) => text?.ToLowerInvariant(), isDeterministic: true);
        connection.CreateFunction("abs", (double number) => Math.BitIncrement(Math.Abs(number)), isDeterministic: true);
        connection.CreateFunction("zip", (string? text) => text, isDeterministic: true);
        connection.CreateFunction("unzip", (string? text) => text, isDeterministic: true);
        connection.CreateCollation("LOCALIZED", string.CompareOrdinal);
        connection.CreateCollation("NOCASE", (left, right) => string.CompareOrdinal(left.ToUpperInvariant(), right.ToUpperInvariant()));
        Databases.Execute(connection, statements);
    }
}
