using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The changes between two states of a database: rows by their keys, and the schema.</summary>
public sealed class CompareBackupTests : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void Nothing_has_changed_where_nothing_has()
    {
        var one = workspace.MakeBackup();
        Assert.Empty(workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().Output);
        var all = workspace.Run($"Compare-SHBackup {one.Id} -IncludeEqual").WithoutErrors().As<BackupDifference>();
        Assert.Contains(all, found => found is { Name: "reading", ObjectType: "table", Change: DifferenceKind.None });
        Assert.Contains(all, found => found is { Name: "note", Detail: not null });
    }

    [Theory]
    [InlineData("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")]
    [InlineData("CREATE TABLE t(id TEXT PRIMARY KEY, v) WITHOUT ROWID")]
    [InlineData("CREATE TABLE t(id, v)")]
    public void Rows_are_added_removed_and_changed(string table)
    {
        Execute(table + "; INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 4), (5, NULL)");
        var one = workspace.MakeBackup();
        Execute("DELETE FROM t WHERE id = 1; UPDATE t SET v = 'B' WHERE id = 2; UPDATE t SET v = 4.0 WHERE id = 4; INSERT INTO t VALUES (8, 8), (9, 9)");
        var two = workspace.MakeBackup("-Type Incremental");

        var live = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal(("t", "table", DifferenceKind.Changed, false), (live.Name, live.ObjectType, live.Change, live.SchemaChanged));
        Assert.Equal((2, 1, 2), (live.RowsAdded, live.RowsRemoved, live.RowsChanged));
        Assert.Equal((one.Id, workspace.Database), (live.Reference, live.Difference));

        var back = workspace.Run("Compare-SHBackup $args[0] -Difference $args[1]", two.Id, one).WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal((1, 2, 2, one.Id), (back.RowsAdded, back.RowsRemoved, back.RowsChanged, back.Difference));
    }

    [Fact]
    public void A_table_that_is_in_neither_state_is_an_error_and_no_silence()
    {
        Execute("CREATE TABLE t(id INTEGER PRIMARY KEY)");
        var one = workspace.MakeBackup();

        var run = workspace.Run($"Compare-SHBackup {one.Id} -Table tt, t, none* -IncludeEqual");

        Assert.StartsWith("TableNotFound,", Assert.Single(run.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal("t", Assert.Single(run.As<BackupDifference>()).Name);
    }

    [Fact]
    public void Rows_without_a_whole_key_are_told_apart()
    {
        Execute("CREATE TABLE t(k TEXT PRIMARY KEY, v); INSERT INTO t VALUES (NULL, 1), (NULL, 2), ('a', 3)");
        var one = workspace.MakeBackup();
        Assert.Empty(workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().Output);
        Execute("INSERT INTO t VALUES (NULL, 4); UPDATE t SET v = 9 WHERE v = 2");
        var found = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal((1, 0, 1), (found.RowsAdded, found.RowsRemoved, found.RowsChanged));
        Assert.Contains("rowid", found.Detail!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("k TEXT COLLATE NOCASE PRIMARY KEY", "'A'", "'a'")]
    [InlineData("k PRIMARY KEY", "1", "1.0")]
    [InlineData("k INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE", "1, 'A'", "1, 'a'")]
    public void What_SQLite_takes_for_the_same_and_is_not_is_a_change(string columns, string before, string after)
    {
        Execute($"CREATE TABLE t({columns}); INSERT INTO t VALUES ({before})");
        var one = workspace.MakeBackup();
        Execute($"DELETE FROM t; INSERT INTO t VALUES ({after})");
        var found = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal((0, 0, 1), (found.RowsAdded, found.RowsRemoved, found.RowsChanged));
    }

    [Fact]
    public void A_table_whose_name_is_written_otherwise_is_the_same_table()
    {
        Execute("CREATE TABLE Foo(id INTEGER PRIMARY KEY, v); INSERT INTO Foo VALUES (1, 1)");
        var one = workspace.MakeBackup();
        Execute("ALTER TABLE Foo RENAME TO meanwhile; ALTER TABLE meanwhile RENAME TO foo; INSERT INTO foo VALUES (2, 2)");
        var found = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal(("foo", DifferenceKind.Changed, true, 1), (found.Name, found.Change, found.SchemaChanged, found.RowsAdded));
    }

    [Fact]
    public void A_column_that_takes_the_rowid_s_name_makes_no_other_rows()
    {
        Execute("CREATE TABLE t(v); INSERT INTO t VALUES (1), (2)");
        var one = workspace.MakeBackup();
        Execute("ALTER TABLE t ADD COLUMN rowid TEXT; DELETE FROM t WHERE v = 1");
        var found = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal((0, 1, 0), (found.RowsAdded, found.RowsRemoved, found.RowsChanged));
    }

    [Fact]
    public void Another_database_may_be_the_later_state_while_it_is_written_to()
    {
        var one = workspace.MakeBackup();
        var other = workspace["other one.db"];
        File.Copy(one.DatabasePath!, other);
        using (new DatabaseHolder(other, "PRAGMA journal_mode = WAL; CREATE TABLE more(x); BEGIN; INSERT INTO more VALUES (1); SELECT 1;"))
        {
            var found = workspace.Run($"Compare-SHBackup {one.Id} -Database './other one.db'").WithoutErrors().As<BackupDifference>().Single();
            Assert.Equal(("more", DifferenceKind.Added, 0, other), (found.Name, found.Change, found.RowsAdded, found.Difference));
        }
    }

    [Fact]
    public void The_schema_is_compared_object_by_object()
    {
        Execute(
            "CREATE TABLE gone(x); INSERT INTO gone VALUES (1); CREATE TABLE wider(id INTEGER PRIMARY KEY, a); INSERT INTO wider VALUES (1, 1); CREATE VIEW v AS SELECT 1; CREATE TABLE \"odd ' name\"(x)");
        var one = workspace.MakeBackup();
        Execute(
            "DROP TABLE gone; ALTER TABLE wider ADD COLUMN b; DROP VIEW v; CREATE VIEW v AS SELECT 2; CREATE TABLE fresh(x); INSERT INTO fresh VALUES (1), (2); CREATE INDEX i ON wider(a); INSERT INTO \"odd ' name\" VALUES (1)");
        var found = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().ToDictionary(difference => difference.Name);
        Assert.Equal(["fresh", "gone", "i", "odd ' name", "v", "wider"], found.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((DifferenceKind.Added, 2L), (found["fresh"].Change, found["fresh"].RowsAdded));
        Assert.Equal((DifferenceKind.Removed, 1L), (found["gone"].Change, found["gone"].RowsRemoved));
        Assert.Equal((DifferenceKind.Changed, "view", true), (found["v"].Change, found["v"].ObjectType, found["v"].SchemaChanged));
        Assert.Equal((DifferenceKind.Changed, 0L, true), (found["wider"].Change, found["wider"].RowsChanged, found["wider"].SchemaChanged));
        Assert.Contains("b", found["wider"].Detail!, StringComparison.Ordinal);
        Assert.Equal((DifferenceKind.Added, "index"), (found["i"].Change, found["i"].ObjectType));
        Assert.Equal(
            ["wider"], workspace.Run($"Compare-SHBackup {one.Id} -Table WID*").WithoutErrors().As<BackupDifference>().Select(difference => difference.Name));
    }

    [Fact]
    public void Encrypted_backups_are_compared_too_and_nothing_is_left_behind()
    {
        workspace.Change();
        var one = workspace.MakeBackup("-Recipient (New-SHBackupKey ./key.txt)");
        workspace.Change();
        var found = workspace.Run($"Compare-SHBackup {one.Id} -IdentityFile ./key.txt").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal(("bulk", 1L), (found.Name, found.RowsChanged));
        Assert.DoesNotContain(
            workspace.BackupFiles, file => file.EndsWith("earlier.db", StringComparison.Ordinal) || file.Contains("snapshot", StringComparison.Ordinal));
        Assert.Equal(BackupErrorId.IdentityMissing, Assert.Single(workspace.Run($"Compare-SHBackup {one.Id}").Errors).FullyQualifiedErrorId.Split(',')[0]);
    }

    public void Dispose() => workspace.Dispose();

    private void Execute(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }
}
