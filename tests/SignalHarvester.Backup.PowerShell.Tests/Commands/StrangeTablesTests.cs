using System.Text;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// Tables that SQLite allows and few people have: names that are not valid text or differ only in case, keys in an order of the
/// application's own, hundreds of columns, thousands of tables.
/// </summary>
public sealed class StrangeTablesTests : IDisposable
{
    private readonly Workspace workspace = new();

    [Theory]
    [InlineData("UTF-8", @"caf\xE9", @"pr\xE9nom", @"\xE9i", "78")]
    [InlineData("UTF-16", "café", "prénom", "éi", "7800")]
    public void Names_that_are_not_valid_UTF8_are_backed_up_counted_compared_brought_back_and_drilled(
        string encoding, string table, string column, string index, string x)
    {
        // SQLite converts what it stores in a UTF-16 database, but not what is cast: there it is half of a surrogate pair.
        var bytes = encoding == "UTF-8" ? Encoding.Latin1 : Encoding.UTF8;
        File.Delete(workspace.Database);
        Execute($"PRAGMA encoding = '{encoding}';" + """
            CREATE TABLE "café"(id INTEGER PRIMARY KEY, "prénom" TEXT UNIQUE, raw TEXT);
            CREATE INDEX "éi" ON "café"(raw);
            CREATE VIEW "vé" AS SELECT "prénom" FROM "café";
            CREATE TABLE c(p REFERENCES "café"("prénom"));
            CREATE TABLE "a\xE9"(v);
            INSERT INTO "café" VALUES (1, 'one', CAST(x'D8D8' AS TEXT)), (2, 'two', CAST(x'D9D8' AS TEXT)), (3, 'three', 'x');
            INSERT INTO c VALUES ('one');
            """, bytes);

        var backup = workspace.MakeBackup();
        Assert.Equal(VerificationLevel.Full, backup.VerificationLevel);
        Assert.Equal([@"a\x5CxE9", "c", table], backup.RowCounts!.Keys);
        Assert.Equal(backup.RowCounts, workspace.Run($"Test-SHBackup {backup.Id} -Level Full").WithoutErrors().As<BackupMetadata>().Single().RowCounts);
        Assert.Empty(workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().Output);
        Assert.True(workspace.Run("Invoke-SHRestoreDrill -Newest").WithoutErrors().As<RestoreDrill>().Single().Passed);

        Execute("""DELETE FROM "café" WHERE id > 1; UPDATE "café" SET raw = CAST(x'D9D8' AS TEXT); DROP INDEX "éi" """, bytes);
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>();
        Assert.Equal(
            [(table, DifferenceKind.Changed, 2L, 1L), (index, DifferenceKind.Removed, 0L, 0L)],
            found.Select(one => (one.Name, one.Change, one.RowsRemoved, one.RowsChanged)).OrderByDescending(one => one.Item3));
        Assert.Equal(table, workspace.Run("Compare-SHBackup $args[0] -Table $args[1]", backup.Id, table).WithoutErrors().As<BackupDifference>().Single().Name);

        Assert.Equal(1, Restore(backup, table, "-Where $args[2]", $"\"{column}\" = 'two'").Inserted);
        Assert.Equal((1, 1), (Restore(backup, table, "-RowAction Replace") is var rows ? rows.Inserted : 0, rows.Replaced));
        Assert.Equal($"D8D8,D9D8,{x}", Query("SELECT group_concat(hex(CAST(raw AS BLOB))) FROM \"café\"", bytes));
        var beside = Restore(backup, table, "-RowAction SideTable");
        Assert.Equal(($"{table}_{backup.Id}", 3L), (beside.Into, beside.Inserted));
        Assert.Contains(
            @"Give one of its tables: a\x5CxE9, c, ",
            workspace.Run("Restore-SHBackup $args[0] -Table none -Into ./app.db -Force", backup.Id).Errors.Single().Exception.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""SELECT count("pr\xE9nom") FROM "caf\xE9" """, "2", "2")]
    [InlineData("""SELECT [pr\xE9nom] FROM `caf\xE9` WHERE id = 2""", @"z\xE9ro", @"z\xE9ro")]
    [InlineData("""SELECT '\xE9' -- what stands in a text is no name""", @"\xE9", @"\xE9")]
    [InlineData("""SELECT count(*) FROM "café" """, "0", "an error: SQLite Error 1: 'no such table: café'")]
    [InlineData("SELECT 1.5; -- only a remark", "1.5", "1.5")]
    [InlineData("SELECT 1; SELECT 2", "1", "several results, but a query must have one")]
    [InlineData("SELECT $open", "1", "an error: it has no value for $open")]
    [InlineData("SELECT x'C3A9'", "c3a9", "c3a9")]
    [InlineData("SELECT NULL", "null", "null")]
    [InlineData("", "1", "no row")]
    public void A_question_of_a_drill_names_what_is_not_valid_UTF8_as_everything_else_does(string query, string expected, string found)
    {
        File.Delete(workspace.Database);
        Execute("""CREATE TABLE "café"(id INTEGER PRIMARY KEY, "prénom" TEXT); INSERT INTO "café" VALUES (1, 'é'), (2, 'zéro')""", Encoding.Latin1);
        workspace.MakeBackup();

        var assertion = workspace.Run("Invoke-SHRestoreDrill -Newest -Assertion @{ Query = $args[0]; Expect = $args[1] }", query, expected)
            .As<RestoreDrill>().Single().Assertions.Single();

        Assert.Equal((found, found == expected), (assertion.Found, assertion.Passed));
    }

    [Fact]
    public void Names_that_differ_in_the_case_of_other_letters_than_ASCII_are_two_and_in_that_of_ASCII_letters_one()
    {
        Unicode("""
            CREATE TABLE t(id INTEGER PRIMARY KEY, ä TEXT, Ä TEXT); INSERT INTO t VALUES (1, 'a', 'b');
            CREATE TABLE ö(id INTEGER PRIMARY KEY, v); INSERT INTO ö VALUES (1, 'small');
            CREATE TABLE Ö(id INTEGER PRIMARY KEY, v); INSERT INTO Ö VALUES (1, 'large');
            """);
        var backup = workspace.MakeBackup();
        Assert.Empty(workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().Output);

        Unicode("UPDATE t SET Ä = 'changed'; DELETE FROM ö; DELETE FROM Ö");
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>();
        Assert.Equal([("t", 0L, 1L), ("Ö", 1L, 0L), ("ö", 1L, 0L)], found.Select(one => (one.Name, one.RowsRemoved, one.RowsChanged)));
        Assert.Equal("ö", workspace.Run($"Compare-SHBackup {backup.Id} -Table ö*").WithoutErrors().As<BackupDifference>().Single().Name);
        Assert.Equal("t", workspace.Run($"Compare-SHBackup {backup.Id} -Table T").WithoutErrors().As<BackupDifference>().Single().Name);
        Assert.Equal(
            ["Ö", "ö"],
            workspace.Run(
                "[System.Management.Automation.CommandCompletion]::CompleteInput($args[0], $args[0].Length, $null).CompletionMatches.ListItemText",
                "Restore-SHBackup -Table ")
                .Output.Select(word => word.ToString()!).Where(word => word is "ö" or "Ö"));

        var rows = workspace.Run($"Restore-SHBackup {backup.Id} -Table ö, Ö, t, T -Into ./app.db -RowAction Replace -Force").WithoutErrors().As<RestoredRows>();
        Assert.Equal([("ö", 1L, 0L), ("Ö", 1L, 0L), ("t", 0L, 1L)], rows.Select(row => (row.Table, row.Inserted, row.Replaced)));
        Assert.Equal("small large b", Query("SELECT (SELECT v FROM \u00f6) || ' ' || (SELECT v FROM \u00d6) || ' ' || (SELECT \u00c4 FROM t)"));
    }

    [Theory]
    [InlineData("k TEXT COLLATE de PRIMARY KEY, v")]
    [InlineData("k TEXT COLLATE de, n INTEGER, v, PRIMARY KEY (k, n)")]
    [InlineData("n INTEGER, k TEXT COLLATE de, v, PRIMARY KEY (n, k)")]
    public void Keys_in_an_order_that_only_the_application_knows_are_compared_by_their_bytes_and_come_back_beside_the_table(string columns)
    {
        Foreign($"""
            CREATE TABLE t({columns}) WITHOUT ROWID; CREATE TABLE u({columns}); CREATE TABLE c(k REFERENCES p(k)); CREATE TABLE p(k TEXT COLLATE de PRIMARY KEY);
            INSERT INTO t(k, v{(columns.Contains('n', StringComparison.Ordinal) ? ", n" : "")}) SELECT 'key ' || value, value{(columns.Contains('n', StringComparison.Ordinal) ? ", 7" : "")}
              FROM (WITH RECURSIVE i(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM i LIMIT 3000) SELECT value FROM i);
            INSERT INTO u SELECT * FROM t; INSERT INTO p SELECT k FROM t; INSERT INTO c SELECT k FROM t;
            """);
        var backup = workspace.MakeBackup();
        Assert.Empty(workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().Output);
        Assert.True(workspace.Run("Invoke-SHRestoreDrill -Newest").WithoutErrors().As<RestoreDrill>().Single().Passed);

        foreach (var table in new[] { "t", "u" })
        {
            Foreign(
                $"DELETE FROM {table} WHERE v IN (1, 2); UPDATE {table} SET v = 0 WHERE v BETWEEN 3 AND 5; INSERT INTO {table}(k, v{(columns.Contains('n', StringComparison.Ordinal) ? ", n" : "")}) SELECT 'new', 9{(columns.Contains('n', StringComparison.Ordinal) ? ", 7" : "")}");
        }

        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>();
        Assert.Equal([("t", 1L, 2L, 3L), ("u", 1L, 2L, 3L)], found.Select(one => (one.Name, one.RowsAdded, one.RowsRemoved, one.RowsChanged)));
        Assert.All(found, one => Assert.Contains("by the bytes of their keys", one.Detail!, StringComparison.Ordinal));

        foreach (var table in new[] { "t", "u" })
        {
            var error = workspace.Run($"Restore-SHBackup {backup.Id} -Table {table} -Into ./app.db -Force").Errors.Single();
            Assert.Equal(BackupErrorId.RowsNotRestored, error.FullyQualifiedErrorId.Split(',')[0]);
            Assert.Contains("only its application has, de. Nothing was changed. Use -RowAction SideTable", error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains(
                "COLLATE BINARY",
                workspace.Run($"Restore-SHBackup {backup.Id} -Table {table} -Where \"k = 'key 1'\" -Into ./app.db -RowAction SideTable -Force").Errors
                    .Single().Exception.Message,
                StringComparison.Ordinal);
            var some = workspace.Run(
                $"Restore-SHBackup {backup.Id} -Table {table} -Where \"k COLLATE BINARY IN ('key 1', 'key 2')\" -Into ./app.db -RowAction SideTable -Force")
                .WithoutErrors().As<RestoredRows>().Single();
            Assert.Equal(2, some.Inserted);
            Foreign($"DROP TABLE {some.Into}");
            Assert.Equal(3000, workspace.Run($"Restore-SHBackup {backup.Id} -Table {table} -Into ./app.db -RowAction SideTable -Force")
                .WithoutErrors().As<RestoredRows>().Single().Inserted);
        }
    }

    [Fact]
    public void Rows_that_only_the_application_can_index_come_back_beside_the_table()
    {
        Foreign("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT COLLATE de); CREATE INDEX i ON t(name); INSERT INTO t VALUES (1, 'a')");
        var backup = workspace.MakeBackup();
        var error = workspace.Run($"Restore-SHBackup {backup.Id} -Table t -Into ./app.db -RowAction Replace -Force").Errors.Single();
        Assert.Equal(BackupErrorId.RowsNotRestored, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains("Only its application has that. Use -RowAction SideTable", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, Restore(backup, "t", "-RowAction SideTable").Inserted);

        // On the second try it exists, and the same advice would be useless.
        var again = workspace.Run($"Restore-SHBackup {backup.Id} -Table t -Into ./app.db -RowAction SideTable -Force").Errors.Single();
        Assert.DoesNotContain("-RowAction", again.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Destination", again.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_drill_does_not_take_a_stand_in_for_the_order_of_the_application()
    {
        Foreign("CREATE TABLE p(k TEXT COLLATE de PRIMARY KEY); CREATE TABLE c(k REFERENCES p(k)); CREATE TABLE q(id INTEGER PRIMARY KEY)"
            + "; WITH RECURSIVE i(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM i LIMIT 3000) INSERT INTO p SELECT 'key ' || value FROM i; INSERT INTO c SELECT k FROM p");
        workspace.MakeBackup();
        var drill = workspace.Run(
            "Invoke-SHRestoreDrill -Newest -Assertion @{ Query = \"SELECT count(*) FROM p\"; Expect = '3000' }, @{ Query = \"SELECT count(*) FROM p WHERE k = 'key 7'\"; Expect = '0' }, @{ Query = \"SELECT count(*) FROM p WHERE k COLLATE BINARY = 'key 7'\"; Expect = '1' }")
            .As<RestoreDrill>().Single();
        Assert.Equal(DrillResult.Passed, drill.IntegrityResult);
        Assert.Equal([true, false, true], drill.Assertions.Select(answer => answer.Passed));
        Assert.Contains("COLLATE BINARY", drill.Assertions[1].Found!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("k INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE", "", "its index 'sqlite_autoindex_t_1'")]
    [InlineData("k INTEGER PRIMARY KEY, name TEXT", "CREATE INDEX i ON t(lower(name))", "its index 'i'")]
    [InlineData("k INTEGER PRIMARY KEY, name TEXT", "CREATE INDEX i ON t(k) WHERE lower(name) < 'à'", "its index 'i'")]
    [InlineData("name TEXT COLLATE NOCASE PRIMARY KEY, k", "", "its index 'sqlite_autoindex_t_1'")]
    [InlineData("name TEXT COLLATE NOCASE PRIMARY KEY, k) WITHOUT ROWID", "", "its primary key")]
    [InlineData("k INTEGER PRIMARY KEY, name TEXT, n TEXT AS (lower(name)) VIRTUAL", "CREATE INDEX i ON t(n)", "its index 'i'")]
    [InlineData(
        "k INTEGER PRIMARY KEY, name TEXT",
        "CREATE TABLE seen(name TEXT COLLATE NOCASE UNIQUE); INSERT INTO seen SELECT name FROM t; CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT OR IGNORE INTO seen VALUES (new.name); END",
        "its index 'sqlite_autoindex_seen_1' of 'seen'")]
    public void Rows_come_back_into_no_index_whose_order_or_values_are_the_applications_own_under_SQLites_names(string columns, string more, string named)
    {
        OwnNames(
            $"CREATE TABLE t({columns}{(columns.Contains("WITHOUT", StringComparison.Ordinal) ? "" : ")")}; WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i LIMIT 70) INSERT INTO t(name, k) SELECT substr('ÉzÖaÜßŽ', n % 7 + 1, 1) || (n / 7), n FROM i; {more}");
        var backup = workspace.MakeBackup();
        OwnNames("DELETE FROM t WHERE k % 3 = 0");
        foreach (var action in (string[])["InsertMissing", "Replace"])
        {
            var error = workspace.Run($"Restore-SHBackup {backup.Id} -Table t -Into ./app.db -RowAction {action} -Force").Errors.Single();
            Assert.StartsWith("RowsNotRestored,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Contains(named, error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("Use -RowAction SideTable", error.Exception.Message, StringComparison.Ordinal);
        }

        // Nothing was touched, not even for a safety backup.
        Assert.Single(workspace.Listed());
        Assert.Equal("ok", OwnNames("PRAGMA integrity_check"));
        if (!columns.Contains("WITHOUT", StringComparison.Ordinal))
        {
            // If we looked where SQLite would have put them, they would be missing.
            var some = Restore(backup, "t", "-RowAction SideTable -Where \"name IN ('É0', 'z0', 'Ö0', 'a0', 'Ü0', 'ß0', 'Ž0')\"");
            Assert.Equal(7, some.Inserted);
            OwnNames($"DROP TABLE \"{some.Into}\"");
        }

        Assert.Equal(70, Restore(backup, "t", "-RowAction SideTable").Inserted);
        Assert.Equal("ok", OwnNames("PRAGMA integrity_check"));
    }

    [Theory]
    [InlineData("'É'", "'é'", "'z'", false)]
    [InlineData("'É', 'Ä', 'ä', 'z'", "'é', 'y'", "'x'", true)]
    [InlineData("'Ärger', 'Ökonom', 'Zoe'", "'Übel', 'Adam'", "'x'", true)]
    [InlineData("'A', 'zoe'", "'B', 'Zora'", "'x'", true)]
    public void Rows_come_back_under_NOCASE_where_all_orders_agree_or_what_is_there_shows_that_it_is_SQLites_own(
        string kept, string lost, string later, bool come)
    {
        Unicode(
            $"CREATE TABLE t(k INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE); INSERT INTO t(name) SELECT value FROM (SELECT {lost.Replace(",", " AS value UNION ALL SELECT", StringComparison.Ordinal)} AS value)");
        var backup = workspace.MakeBackup();
        Unicode(
            $"DELETE FROM t; INSERT INTO t(k, name) SELECT 100 + row_number() OVER (), value FROM (SELECT {(kept + ", " + later).Replace(",", " AS value UNION ALL SELECT", StringComparison.Ordinal)} AS value)");
        var result = workspace.Run($"Restore-SHBackup {backup.Id} -Table t -Into ./app.db -Force");
        if (come)
        {
            Assert.Equal(lost.Split(',').Length, result.WithoutErrors().As<RestoredRows>().Single().Inserted);
        }
        else
        {
            Assert.Contains("nothing in the table shows which order", result.Errors.Single().Exception.Message, StringComparison.Ordinal);
            Assert.Single(workspace.Listed());
        }
    }

    [Fact]
    public void Rows_of_other_letters_do_not_come_back_into_an_index_that_may_be_the_applications_and_that_no_state_shows()
    {
        Unicode("CREATE TABLE t(k INTEGER PRIMARY KEY, name TEXT, note TEXT); INSERT INTO t VALUES (1, 'Änne', 'ä'), (2, 'Anne', 'ä')");
        var backup = workspace.MakeBackup();
        Unicode("DELETE FROM t; CREATE INDEX i ON t(lower(name))");
        var error = workspace.Run($"Restore-SHBackup {backup.Id} -Table t -Into ./app.db -Force").Errors.Single();
        Assert.Contains("index 'i', which the backup does not have", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, Restore(backup, "t", "-Where 'k = 2'").Inserted);
    }

    [Theory]
    [InlineData("name TEXT COLLATE NOCASE PRIMARY KEY, n INT")]
    [InlineData("name TEXT COLLATE NOCASE PRIMARY KEY, n INT) WITHOUT ROWID")]
    [InlineData("name TEXT COLLATE NOCASE, n INT, PRIMARY KEY (n, name)) WITHOUT ROWID")]
    [InlineData("name TEXT COLLATE RTRIM PRIMARY KEY, n INT")]
    public void Rows_are_compared_by_their_bytes_where_their_keys_order_is_the_applications_own_under_a_name_of_SQLites(string columns)
    {
        OwnNames(
            $"CREATE TABLE t({columns}{(columns.Contains("WITHOUT", StringComparison.Ordinal) ? "" : ")")}; CREATE INDEX other ON t(n, name); WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i LIMIT 700) INSERT INTO t SELECT substr('ÉzÖaÜßŽ', n % 7 + 1, 1) || (n / 7), n / 70 FROM i");
        var backup = workspace.MakeBackup();
        Assert.Empty(workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().Output);

        OwnNames("DELETE FROM t WHERE name IN ('É5', 'z6'); UPDATE t SET n = 99 WHERE name IN ('a1', 'Ž2', 'Ü3'); INSERT INTO t VALUES ('é500', 5)");
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Contains("by the bytes of their keys", found.Detail!, StringComparison.Ordinal);
        Assert.Equal(columns.Contains("(n, name)", StringComparison.Ordinal) ? (4, 5, 0) : (1, 2, 3), (found.RowsAdded, found.RowsRemoved, found.RowsChanged));
    }

    [Theory]
    [InlineData("p(name)")]
    [InlineData("p")]
    public void Rows_that_refer_by_an_order_of_the_applications_own_under_SQLites_name_come_back_and_pass_a_drill(string parent)
    {
        OwnNames(
            $"CREATE TABLE p(name TEXT COLLATE NOCASE PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, name TEXT REFERENCES {parent}); INSERT INTO p VALUES ('É'), ('z'), ('Ö'), ('a'), ('Ü'); INSERT INTO c(name) VALUES ('é'), ('Z'), ('ö'), ('A'), ('ü')");
        var backup = workspace.MakeBackup();
        var drill = workspace.Run("Invoke-SHRestoreDrill -Newest").As<RestoreDrill>().Single();
        Assert.True(drill.Passed, drill.Reason);
        OwnNames("DELETE FROM c WHERE id > 2");
        Assert.Equal(3, Restore(backup, "c", "").Inserted);

        // Rows that are there in no order are not restored, and a drill finds this.
        OwnNames("DELETE FROM c WHERE id > 2; DELETE FROM p WHERE name = 'Ö'");
        var error = workspace.Run($"Restore-SHBackup {backup.Id} -Table c -Into ./app.db -Force").Errors.Single();
        Assert.Contains("refer to rows that are not in", error.Exception.Message, StringComparison.Ordinal);
        OwnNames("PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (9, 'nobody')");
        _ = workspace.MakeBackup();
        var found = workspace.Run("Invoke-SHRestoreDrill -Newest").WithoutErrors().As<RestoreDrill>().Single();
        Assert.Contains("1 row of c (name) refers to missing rows of p", found.Warning!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sqlite", "sqlite-")]
    [InlineData("true", "true_")]
    [InlineData("select", "select_")]
    public void Tables_and_columns_come_back_and_beside_whatever_word_of_SQL_they_are_called(string name, string beside)
    {
        Unicode($"CREATE TABLE \"{name}\"(\"{name}\" TEXT PRIMARY KEY, \"false\"); INSERT INTO \"{name}\" VALUES ('a', 1), ('b', 2), ('c', 3)");
        var backup = workspace.MakeBackup();
        Unicode($"DELETE FROM \"{name}\" WHERE \"{name}\" = 'a'; UPDATE \"{name}\" SET \"false\" = 9 WHERE \"{name}\" = 'b'");
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal((0, 1, 1), (found.RowsAdded, found.RowsRemoved, found.RowsChanged));
        Assert.Equal(beside + backup.Id, Restore(backup, name, "-RowAction SideTable").Into);
        Assert.Equal("a1b2c3", Query($"SELECT group_concat(\"{name}\" || \"false\", '') FROM \"{beside}{backup.Id}\""));
        Assert.Equal((1, 1), (Restore(backup, name, "-RowAction Replace") is var rows ? rows.Inserted : 0, rows.Replaced));
        Assert.Equal("a1b2c3", Query($"SELECT group_concat(v, '') FROM (SELECT \"{name}\" || \"false\" AS v FROM \"{name}\" ORDER BY 1)"));
    }

    [Fact]
    public void Tables_that_are_called_as_SQLites_own_are_compared_and_hide_none_of_them()
    {
        string[] names =
        [
            "pragma_table_list", "pragma_table_xinfo", "pragma_index_xinfo", "pragma_index_list", "pragma_foreign_key_list", "pragma_foreign_key_check",
        ];
        Unicode(string.Concat(names.Select(name => $"CREATE TABLE {name}(id TEXT PRIMARY KEY, v); INSERT INTO {name} VALUES (1, 1), (2, 2);")));
        var backup = workspace.MakeBackup("-NoVerify");
        Unicode(string.Concat(names.Select(name => $"DELETE FROM {name} WHERE id = 1; UPDATE {name} SET v = 9;")));
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>();
        Assert.Equal(names.Order(StringComparer.Ordinal).Select(name => (name, 1L, 1L)), found.Select(one => (one.Name, one.RowsRemoved, one.RowsChanged)));
    }

    [Fact]
    public void A_table_that_SQLite_cannot_read_is_named_and_the_others_are_compared()
    {
        Unicode(
            "CREATE TABLE a(id INTEGER PRIMARY KEY, v); CREATE TABLE b(id INTEGER PRIMARY KEY, v); INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)");
        var backup = workspace.MakeBackup();
        Unicode("UPDATE b SET v = 2");
        var page = long.Parse(Query("SELECT rootpage FROM sqlite_schema WHERE name = 'a'"), System.Globalization.CultureInfo.InvariantCulture);
        using (var file = File.Open(workspace.Database, FileMode.Open))
        {
            file.Position = (page - 1) * 4096;
            file.Write(new byte[64]);
        }

        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>();
        Assert.Equal([("a", DifferenceKind.Unknown, 0L), ("b", DifferenceKind.Changed, 1L)], found.Select(one => (one.Name, one.Change, one.RowsChanged)));
        Assert.Contains("malformed", found[0].Detail!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NOCASE", "BINARY", "TEXT", "TEXT")]
    [InlineData("BINARY", "NOCASE", "TEXT", "TEXT")]
    [InlineData("BINARY", "BINARY", "TEXT", "BLOB")]
    public void Keys_that_are_ordered_otherwise_in_the_two_states_are_compared_by_their_bytes(string before, string after, string typeBefore, string typeAfter)
    {
        Unicode($"CREATE TABLE t(k {typeBefore} COLLATE {before} PRIMARY KEY, v); INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3)");
        var backup = workspace.MakeBackup();
        Unicode($"DROP TABLE t; CREATE TABLE t(k {typeAfter} COLLATE {after} PRIMARY KEY, v); INSERT INTO t VALUES ('A', 1), ('b', 9), ('c', 3)");
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>().Single(one => one.ObjectType == "table");
        Assert.Equal((1, 1, 1, true), (found.RowsAdded, found.RowsRemoved, found.RowsChanged, found.SchemaChanged));
    }

    [Theory]
    [InlineData(600, "c0 INTEGER PRIMARY KEY")]
    [InlineData(2000, "c0 INTEGER PRIMARY KEY")]
    [InlineData(1999, "c0 TEXT PRIMARY KEY")]
    [InlineData(2000, "c0 TEXT PRIMARY KEY")]
    [InlineData(1100, "c0")]
    public void Tables_of_very_many_columns_are_compared_and_their_rows_come_back(int count, string first)
    {
        List<string> columns = [first, .. Enumerable.Range(1, count - 1).Select(number => $"c{number}")];
        Unicode($"CREATE TABLE t({string.Join(", ", columns)}); INSERT INTO t(c0) VALUES (1), (2), (3); CREATE TABLE other(id INTEGER PRIMARY KEY)");
        var backup = workspace.MakeBackup();
        Unicode($"UPDATE t SET c{count - 1} = 'x' WHERE c0 = 1; DELETE FROM t WHERE c0 = 2; INSERT INTO other VALUES (1)");

        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>();
        Assert.Equal([("other", 1L, 0L, 0L), ("t", 0L, 1L, 1L)], found.Select(one => (one.Name, one.RowsAdded, one.RowsRemoved, one.RowsChanged)));
        var rows = Restore(backup, "t", "-RowAction Replace");
        Assert.Equal((1, 1), (rows.Inserted, rows.Replaced));
        Assert.Equal("0", Query($"SELECT count(c{count - 1}) FROM t"));
        Assert.Equal(3, Restore(backup, "t", "-RowAction SideTable").Inserted);
    }

    [Fact]
    public void Tables_of_more_columns_than_this_SQLite_reads_are_no_damage_and_are_kept_unverified_and_not_marked_as_damaged_with_Force()
    {
        Unicode("CREATE TABLE t(c0); INSERT INTO t VALUES (1); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(c0"
            + string.Concat(Enumerable.Range(1, 3000).Select(number => $", c{number}")) + ")' WHERE name = 't'");
        var error = workspace.Run("New-SHBackup ./app.db").Errors.Single();
        Assert.Equal(BackupErrorId.SourceUnreadable, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains("more than 2000 columns, the limit of this SQLite", error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("marked as damaged", error.Exception.Message, StringComparison.Ordinal);

        var made = workspace.Run("New-SHBackup ./app.db -Force").WithoutErrors();
        var backup = made.As<BackupMetadata>().Single();
        Assert.Equal((false, false, null), (backup.IsSourceCorrupt, backup.Verified, backup.VerificationTimestamp));
        Assert.Contains("is not verified", Assert.Single(made.Warnings), StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", made.Warnings[0], StringComparison.Ordinal);

        var tested = workspace.Run("Get-SHBackup | Test-SHBackup -Level Full").Errors.Single();
        Assert.Contains("That is not damage", tested.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-NoVerify", tested.Exception.Message, StringComparison.Ordinal);
        backup = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal((false, false, null), (backup.IsSourceCorrupt, backup.Verified, backup.VerificationTimestamp));

        _ = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./new.db -NoVerify -Force").WithoutErrors();
        Assert.Equal(File.ReadAllBytes(workspace.Database), File.ReadAllBytes(workspace["new.db"]));
    }

    [Theory]
    [InlineData(1001, "")]
    [InlineData(1999, "WITHOUT ROWID")]
    public void Rows_of_a_key_of_very_many_columns_come_back_and_triggers_see_each_once(int count, string form)
    {
        var key = string.Join(", ", Enumerable.Range(0, count).Select(number => $"k{number}"));
        Unicode($$"""
            CREATE TABLE t({{key}}, v, PRIMARY KEY({{key}})) {{form}};
            INSERT INTO t SELECT {{string.Join(", ", Enumerable.Range(0, count).Select(number => $"value + {number}"))}}, 'old' FROM (WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL SELECT value + 1 FROM n WHERE value < 3) SELECT value FROM n);
            CREATE TABLE seen(what, old, new);
            CREATE TRIGGER updated AFTER UPDATE ON t BEGIN INSERT INTO seen VALUES ('update', old.v, new.v); END;
            CREATE TRIGGER inserted AFTER INSERT ON t BEGIN INSERT INTO seen VALUES ('insert', NULL, new.v); END;
            """);
        var backup = workspace.MakeBackup();
        Unicode("UPDATE t SET v = 'new' WHERE k0 = 1; DELETE FROM t WHERE k0 = 2; UPDATE t SET v = 'newer' WHERE k0 = 3; DELETE FROM seen");

        var some = Restore(backup, "t", "-RowAction Replace -Where 'k0 < 3'");

        Assert.Equal((1, 1), (some.Inserted, some.Replaced));
        Assert.Equal("update new old,insert  old", Query("SELECT group_concat(what || ' ' || ifnull(old, '') || ' ' || new) FROM seen"));
        Assert.Equal("1 old,2 old,3 newer", Query("SELECT group_concat(k0 || ' ' || v) FROM (SELECT k0, v FROM t ORDER BY k0)"));
    }

    [Fact]
    public void Rows_without_a_key_and_of_as_many_columns_as_SQLite_takes_are_refused_by_name_and_come_back_beside()
    {
        Unicode($"CREATE TABLE t({string.Join(", ", Enumerable.Range(0, 2000).Select(number => $"c{number}"))}); INSERT INTO t(c0) VALUES (1), (2)");
        var backup = workspace.MakeBackup();
        foreach (var action in (string[])["InsertMissing", "Replace"])
        {
            var error = workspace.Run($"Restore-SHBackup {backup.Id} -Table t -Into ./app.db -RowAction {action} -Force").Errors.Single();
            Assert.StartsWith("RowsNotRestored,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Contains("more columns than SQLite allows", error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("SideTable", error.Exception.Message, StringComparison.Ordinal);
        }

        Assert.Single(workspace.Listed());
        Assert.Equal(2, Restore(backup, "t", "-RowAction SideTable").Inserted);
    }

    [Fact]
    public void A_key_of_very_many_columns_is_compared()
    {
        var columns = string.Join(", ", Enumerable.Range(0, 1050).Select(number => $"c{number} DEFAULT 0"));
        var key = string.Join(", ", Enumerable.Range(0, 1050).Select(number => $"c{number}"));
        Unicode($"CREATE TABLE t({columns}, v, PRIMARY KEY ({key})); INSERT INTO t(c0, v) VALUES (1, 1), (2, 2)");
        var backup = workspace.MakeBackup();
        Unicode("UPDATE t SET v = 3 WHERE c0 = 1; DELETE FROM t WHERE c0 = 2");
        var found = workspace.Run($"Compare-SHBackup {backup.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal((0, 1, 1), (found.RowsAdded, found.RowsRemoved, found.RowsChanged));
    }

    [Fact]
    public void Row_counts_that_do_not_fit_are_left_out_and_said_and_the_backup_is_made_and_tested()
    {
        using (var connection = Databases.Open(workspace.Database))
        {
            using var transaction = connection.BeginTransaction();
            for (var number = 0; number < 900; number++)
            {
                using var command = connection.CreateCommand();
                command.CommandText = $"CREATE TABLE \"device {number} {new string('x', 3000)}\"(a)";
                command.ExecuteNonQuery();
            }

            transaction.Commit();
        }

        var result = workspace.Run("New-SHBackup ./app.db -Description note -Verbose");
        var backup = result.WithoutErrors().As<BackupMetadata>().Single();
        Assert.Equal(VerificationLevel.Full, backup.VerificationLevel);
        Assert.Null(backup.RowCounts);
        Assert.True((long)Convert.ChangeType(backup.Metadata["row_counts_omitted"], typeof(long), null)! > 900);
        Assert.Contains(backup.Verification, check => check.Check == "RowCounts" && check.Detail.Contains("tables", StringComparison.Ordinal));
        _ = workspace.Run($"Test-SHBackup {backup.Id} -Level Full").WithoutErrors();
        Assert.InRange(new FileInfo(workspace.SidecarOf(backup.Id)).Length, 1, 1 << 20);
        Assert.Equal("note", workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>().Single().Description);
    }

    public void Dispose() => workspace.Dispose();

    private RestoredRows Restore(BackupMetadata backup, string table, string parameters, params object[] more) =>
        workspace.Run("Restore-SHBackup $args[0] -Table $args[1] -Into ./app.db -Force " + parameters, [backup.Id, table, .. more])
            .WithoutErrors().As<RestoredRows>().Single();

    private void Unicode(string sql) => Execute(sql, Encoding.UTF8);

    private void Execute(string sql, Encoding encoding) => Run(sql, encoding, _ => { });

    /// <summary>Runs SQL as an application with its own collation.</summary>
    private void Foreign(string sql) =>
        Run(sql, Encoding.UTF8, connection => connection.CreateCollation("de", (left, right) => -string.CompareOrdinal(left, right)));

    /// <summary>Runs SQL as an application that folds all letters under SQLite's own names.</summary>
    private string OwnNames(string sql) => Run(sql, Encoding.UTF8, connection =>
    {
        connection.CreateCollation("NOCASE", (left, right) => string.CompareOrdinal(left.ToLowerInvariant(), right.ToLowerInvariant()));
        connection.CreateCollation("RTRIM", (left, right) => string.CompareOrdinal(left.ToLowerInvariant(), right.ToLowerInvariant()));
        connection.CreateFunction("lower", (string? text) => text?.ToLowerInvariant(), isDeterministic: true);
    });

    private string Query(string sql, Encoding? encoding = null) => Run(sql, encoding ?? Encoding.UTF8, _ => { });

    private string Run(string sql, Encoding encoding, Action<SqliteConnection> prepare)
    {
        using var connection = Databases.Open(workspace.Database);
        prepare(connection);
        var answer = "";
        ReadOnlySpan<byte> rest = encoding.GetBytes(sql);
        while (!rest.IsEmpty)
        {
            SqliteException.ThrowExceptionForRC(SQLitePCL.raw.sqlite3_prepare_v2(connection.Handle, rest, out var statement, out rest), connection.Handle);
            using (statement)
            {
                var code = SQLitePCL.raw.SQLITE_DONE;
                while (!statement.IsInvalid && (code = SQLitePCL.raw.sqlite3_step(statement)) == SQLitePCL.raw.SQLITE_ROW)
                {
                    answer = SQLitePCL.raw.sqlite3_column_text(statement, 0).utf8_to_string() ?? "";
                }

                SqliteException.ThrowExceptionForRC(code, connection.Handle);
            }
        }

        return answer;
    }
}
