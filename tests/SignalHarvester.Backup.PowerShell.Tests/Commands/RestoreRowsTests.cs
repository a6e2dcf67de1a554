using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Restores single tables and rows into a live database: the undone accident at work.</summary>
public sealed class RestoreRowsTests : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void Deleted_rows_come_back_and_what_changed_since_stays()
    {
        var backup = Backup(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, g TEXT GENERATED ALWAYS AS (v || '!') VIRTUAL); INSERT INTO t(id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')");
        Execute("DELETE FROM t WHERE id IN (1, 3); UPDATE t SET v = 'new' WHERE id = 2; INSERT INTO t(id, v) VALUES (9, 'later')");

        var rows = Restore(backup, "-Table t -Into ./app.db");

        Assert.Equal((2, 0, "t", "t", backup), (rows.Inserted, rows.Replaced, rows.Table, rows.Into, rows.BackupId));
        Assert.Equal(
            "1 a a!|2 new new!|3 c c!|9 later later!", Query("SELECT group_concat(id || ' ' || v || ' ' || g, '|') FROM (SELECT * FROM t ORDER BY id)"));
        Assert.Contains(workspace.Run("Get-SHBackup").As<BackupMetadata>(), made => made.IsSafety);
        Assert.Equal(workspace.Database, workspace.Run("Get-SHBackupHistory -Operation Restore").As<BackupEvent>().Single().Destination);
    }

    [Fact]
    public void A_restore_that_changes_nothing_pushes_no_safety_backup_out()
    {
        var backup = Backup(
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)");
        Execute("DELETE FROM c");
        _ = Restore(backup, "-Table c -Into ./app.db");
        var kept = workspace.Run("Get-SHBackup").As<BackupMetadata>().Where(made => made.IsSafety).Select(made => made.Id).ToList();
        Execute("DELETE FROM c; DELETE FROM p");

        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.Equal(0, Restore(backup, "-Table c -Where 'id = 99' -Into ./app.db").Inserted);
            Assert.Equal(BackupErrorId.RowsNotRestored, Refused($"Restore-SHBackup {backup} -Table c -Into ./app.db -Force"));
        }

        Assert.Equal(kept, workspace.Run("Get-SHBackup").As<BackupMetadata>().Where(made => made.IsSafety).Select(made => made.Id));
    }

    [Fact]
    public void Only_those_that_are_asked_for_come_back()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT); INSERT INTO t VALUES (1, '2026-11-09'), (2, '2026-11-10'), (3, '2026-11-11')");
        Execute("DELETE FROM t");
        Assert.Equal(2, Restore(backup, "-Table t -Where \"at >= '2026-11-10' -- today\" -Into ./app.db").Inserted);
        Assert.Equal("2,3", Query("SELECT group_concat(id) FROM t"));
    }

    [Fact]
    public void Replaced_rows_get_the_values_of_the_backup_and_others_are_not_touched()
    {
        var backup = Backup("CREATE TABLE t(a, b, v, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO t VALUES (1, 'x', 1), (1, 'y', NULL), (2, 'x', '3')");
        Execute("UPDATE t SET v = 9 WHERE b = 'x'; DELETE FROM t WHERE b = 'y'; INSERT INTO t VALUES (5, 'z', 5)");
        var rows = Restore(backup, "-Table t -Into ./app.db -RowAction Replace");
        Assert.Equal((1, 2), (rows.Inserted, rows.Replaced));
        Assert.Equal(
            "1 x integer1|1 y null|2 x text3|5 z integer5",
            Query("SELECT group_concat(a || ' ' || b || ' ' || typeof(v) || coalesce(v, ''), '|') FROM (SELECT * FROM t ORDER BY a, b)"));
    }

    [Fact]
    public void Rows_without_a_whole_key_come_back_by_their_rowid()
    {
        var backup = Backup("CREATE TABLE t(k TEXT PRIMARY KEY, v); INSERT INTO t VALUES (NULL, 1), (NULL, 2), ('a', 3)");
        Execute("DELETE FROM t WHERE v = 1");
        Assert.Equal(1, Restore(backup, "-Table t -Into ./app.db").Inserted);
        Assert.Equal("1,2,3", Query("SELECT group_concat(v) FROM (SELECT v FROM t ORDER BY v)"));
    }

    [Theory]
    [InlineData("k TEXT COLLATE NOCASE PRIMARY KEY, v", "'A', 1", "'a', 1")]
    [InlineData("k INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE", "1, 'A'", "1, 'a'")]
    public void What_SQLite_takes_for_the_same_and_is_not_is_replaced(string columns, string before, string after)
    {
        var backup = Backup($"CREATE TABLE t({columns}); INSERT INTO t VALUES ({before})");
        Execute($"DELETE FROM t; INSERT INTO t VALUES ({after})");
        Assert.Equal(1, Restore(backup, "-Table t -Into ./app.db -RowAction Replace").Replaced);
        Assert.Equal(before.Replace("'", "", StringComparison.Ordinal), Query("SELECT k || ', ' || v FROM t"));
    }

    [Fact]
    public void The_last_three_safety_backups_are_kept()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
        for (var round = 0; round < 5; round++)
        {
            Execute("DELETE FROM t");
            Restore(backup, "-Table t -Into ./app.db");
        }

        Assert.Equal(3, workspace.Run("Get-SHBackup").As<BackupMetadata>().Count(made => made.IsSafety));
    }

    [Fact]
    public void A_table_without_a_primary_key_goes_by_its_rowid()
    {
        var backup = Backup("CREATE TABLE \"odd ' \"\" name\"(rowid TEXT, v); INSERT INTO \"odd ' \"\" name\" VALUES ('same', 1), ('same', 1), ('same', 2)");
        Execute("DELETE FROM \"odd ' \"\" name\" WHERE _rowid_ = 2");
        var rows = workspace.Run("Restore-SHBackup $args[0] -Table $args[1] -Into ./app.db -Force", backup, "odd ' \" name")
            .WithoutErrors().As<RestoredRows>().Single();
        Assert.Equal(1, rows.Inserted);
        Assert.Equal(3, Number("SELECT count(*) FROM \"odd ' \"\" name\""));
    }

    [Fact]
    public void A_table_beside_it_takes_the_rows_and_nothing_else_changes()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        Execute("DROP TABLE t");
        var rows = Restore(backup, "-Table t -Into ./app.db -RowAction SideTable");
        Assert.Equal(("t_" + backup, 2), (rows.Into, rows.Inserted));
        Assert.Equal(2, Number($"SELECT count(*) FROM t_{backup}"));
        Assert.Equal(0, Number("SELECT count(*) FROM sqlite_schema WHERE name = 't'"));
        Assert.Equal(BackupErrorId.RowsNotRestored, Refused($"Restore-SHBackup {backup} -Table t -Into ./app.db -RowAction SideTable -Force"));
    }

    [Theory]
    [InlineData("1; DROP TABLE t", BackupErrorId.InvalidArgument)]
    [InlineData("1); DROP TABLE t; --", BackupErrorId.InvalidArgument)]
    [InlineData("1) UNION SELECT 7, 7 WHERE (1", BackupErrorId.InvalidArgument)]
    [InlineData("nonsense = 1", BackupErrorId.InvalidArgument)]
    [InlineData("1 /*", BackupErrorId.InvalidArgument)]
    [InlineData("id = ", BackupErrorId.InvalidArgument)]
    [InlineData("id = $id", BackupErrorId.InvalidArgument)]
    [InlineData("id = ?", BackupErrorId.InvalidArgument)]
    public void A_condition_that_is_none_is_refused_and_nothing_is_changed(string where, string errorId)
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a')");
        Execute("DELETE FROM t");
        var error = Assert.Single(workspace.Run("Restore-SHBackup $args[0] -Table t -Where $args[1] -Into ./app.db -Force", backup, where).Errors);
        Assert.Equal(errorId, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Equal(0, Number("SELECT count(*) FROM t"));
        Assert.DoesNotContain(workspace.Run("Get-SHBackup").As<BackupMetadata>(), made => made.IsSafety);
    }

    [Fact]
    public void Rows_that_would_refer_to_nothing_do_not_come_back_without_what_they_refer_to()
    {
        var backup = Backup(
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id) ON DELETE CASCADE); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)");
        Execute("DELETE FROM c; DELETE FROM p");
        Assert.Equal(BackupErrorId.RowsNotRestored, Refused($"Restore-SHBackup {backup} -Table c -Into ./app.db -Force"));
        Assert.Equal(0, Number("SELECT count(*) FROM c"));
        var rows = workspace.Run($"Restore-SHBackup {backup} -Table c, p -Into ./app.db -Force").WithoutErrors().As<RestoredRows>();
        Assert.Equal([1L, 1L], rows.Select(row => row.Inserted));
    }

    [Fact]
    public void A_row_that_another_stands_in_the_way_of_leaves_everything_as_it_was()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        Execute("DELETE FROM t; INSERT INTO t VALUES (7, 'b')");
        Assert.Equal(BackupErrorId.RowsNotRestored, Refused($"Restore-SHBackup {backup} -Table t -Into ./app.db -Force"));
        Assert.Equal("7", Query("SELECT group_concat(id) FROM t"));
    }

    [Fact]
    public void A_column_that_has_come_since_gets_its_default_and_one_that_has_gone_is_an_error()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a')");
        Execute("DELETE FROM t; ALTER TABLE t ADD COLUMN extra DEFAULT 'd'");
        Restore(backup, "-Table t -Into ./app.db");
        Assert.Equal("1 a d", Query("SELECT id || ' ' || v || ' ' || extra FROM t"));
        Execute("ALTER TABLE t DROP COLUMN v");
        Assert.Equal(BackupErrorId.RowsNotRestored, Refused($"Restore-SHBackup {backup} -Table t -Into ./app.db -Force"));
    }

    [Theory]
    [InlineData("words", true)]
    [InlineData("words_content", true)]
    [InlineData("nonsense", false)]
    public void The_tables_that_are_named_instead_of_one_that_cannot_come_back_can(string table, bool isVirtual)
    {
        var backup = Backup("CREATE TABLE t(a); CREATE VIRTUAL TABLE words USING fts5(body)");
        var error = workspace.Run($"Restore-SHBackup {backup} -Table {table} -Into ./app.db -Force").Errors.Single();
        Assert.Equal(BackupErrorId.TableNotFound, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains("Give one of its tables: ", error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(", words", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(isVirtual, error.Exception.Message.Contains("a virtual table stores its rows", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_is_no_database_is_not_written_to()
    {
        var backup = Backup("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
        File.WriteAllText(workspace["notes.txt"], "to be kept");
        var error = workspace.Run($"Restore-SHBackup {backup} -Table t -Into ./notes.txt -Force").Errors.Single();
        Assert.Equal(BackupErrorId.DestinationInvalid, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Equal("to be kept", File.ReadAllText(workspace["notes.txt"]));
    }

    [Fact]
    public void A_locked_database_is_waited_for_and_then_named()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
        using (new DatabaseHolder(workspace.Database, "BEGIN IMMEDIATE;"))
        {
            Assert.Equal(BackupErrorId.DestinationLocked, Refused($"Restore-SHBackup {backup} -Table t -Into ./app.db -Force -LockTimeout 0"));
        }
    }

    [Fact]
    public void Nothing_happens_with_WhatIf_or_where_the_database_is_not_there_or_the_parameters_contradict()
    {
        var backup = Backup("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
        Execute("DELETE FROM t");
        Assert.Empty(workspace.Run($"Restore-SHBackup {backup} -Table t -Into ./app.db -WhatIf").WithoutErrors().Output);
        Assert.Equal(0, Number("SELECT count(*) FROM t"));
        Assert.Equal(BackupErrorId.DestinationInvalid, Refused($"Restore-SHBackup {backup} -Table t -Into ./none.db -Force"));
        Assert.False(File.Exists(workspace["none.db"]));
        foreach (var parameters in new[]
        {
            "-Table t", "-Into ./app.db", "-Where 1 -Destination ./x.db", "-Table t -Into ./app.db -Destination ./x.db", "-Table t -Into ./app.db -Delta",
        })
        {
            Assert.Equal(BackupErrorId.InvalidArgument, Refused($"Restore-SHBackup {backup} {parameters} -Force"));
        }
    }

    [Fact]
    public void An_encrypted_chain_gives_rows_back_too()
    {
        workspace.Run("$null = New-SHBackupKey ./key.txt").WithoutErrors();
        Execute("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
        const string New = "New-SHBackup ./app.db -Type Incremental -Recipient ((New-SHBackupKey ./unused-$([guid]::NewGuid()).txt), ";
        var recipient = workspace.Run("(New-SHBackupKey ./own.txt).Recipient").Output.Single();
        workspace.Run($"{New} '{recipient}')").WithoutErrors();
        workspace.Change();
        var backup = workspace.Run($"{New} '{recipient}')").WithoutErrors().As<BackupMetadata>().Single();
        Execute("DELETE FROM t");
        Assert.Equal(1, Restore(backup.Id, "-Table t -Into ./app.db -IdentityFile ./own.txt").Inserted);
        Assert.All(workspace.Run("Get-SHBackup").As<BackupMetadata>(), made => Assert.True(made.IsEncrypted));
    }

    public void Dispose() => workspace.Dispose();

    private string Backup(string sql)
    {
        Execute(sql);
        return workspace.MakeBackup().Id;
    }

    private RestoredRows Restore(string backup, string parameters) =>
        workspace.Run($"Restore-SHBackup {backup} {parameters} -Force").WithoutErrors().As<RestoredRows>().Single();

    private string Refused(string script) => Assert.Single(workspace.Run(script).Errors).FullyQualifiedErrorId.Split(',')[0];

    private void Execute(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }

    private long Number(string sql) => (long)Scalar(sql);

    private string Query(string sql) => Scalar(sql).ToString()!;

    private object Scalar(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar()!;
    }
}
