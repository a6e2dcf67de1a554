using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>What changed between two states of a database: rows by their keys, and the schema.</summary>
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
    public void The_schema_is_compared_object_by_object()
    {
        Execute("CREATE TABLE gone(x); INSERT INTO gone VALUES (1); CREATE TABLE wider(id INTEGER PRIMARY KEY, a); INSERT INTO wider VALUES (1, 1); CREATE VIEW v AS SELECT 1; CREATE TABLE \"odd ' name\"(x)");
        var one = workspace.MakeBackup();
        Execute("DROP TABLE gone; ALTER TABLE wider ADD COLUMN b; DROP VIEW v; CREATE VIEW v AS SELECT 2; CREATE TABLE fresh(x); INSERT INTO fresh VALUES (1), (2); CREATE INDEX i ON wider(a); INSERT INTO \"odd ' name\" VALUES (1)");
        var found = workspace.Run($"Compare-SHBackup {one.Id}").WithoutErrors().As<BackupDifference>().ToDictionary(difference => difference.Name);
        Assert.Equal(["fresh", "gone", "i", "odd ' name", "v", "wider"], found.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((DifferenceKind.Added, 2L), (found["fresh"].Change, found["fresh"].RowsAdded));
        Assert.Equal((DifferenceKind.Removed, 1L), (found["gone"].Change, found["gone"].RowsRemoved));
        Assert.Equal((DifferenceKind.Changed, "view", true), (found["v"].Change, found["v"].ObjectType, found["v"].SchemaChanged));
        Assert.Equal((DifferenceKind.Changed, 0L, true), (found["wider"].Change, found["wider"].RowsChanged, found["wider"].SchemaChanged));
        Assert.Contains("b", found["wider"].Detail!, StringComparison.Ordinal);
        Assert.Equal((DifferenceKind.Added, "index"), (found["i"].Change, found["i"].ObjectType));
        Assert.Equal(["wider"], workspace.Run($"Compare-SHBackup {one.Id} -Table WID*").WithoutErrors().As<BackupDifference>().Select(difference => difference.Name));
    }

    [Fact]
    public void Encrypted_backups_are_compared_too_and_nothing_is_left_behind()
    {
        workspace.Change();
        var one = workspace.MakeBackup("-Recipient (New-SHBackupKey ./key.txt)");
        workspace.Change();
        var found = workspace.Run($"Compare-SHBackup {one.Id} -IdentityFile ./key.txt").WithoutErrors().As<BackupDifference>().Single();
        Assert.Equal(("bulk", 1L), (found.Name, found.RowsChanged));
        Assert.DoesNotContain(workspace.BackupFiles, file => file.EndsWith("earlier.db", StringComparison.Ordinal) || file.Contains("snapshot", StringComparison.Ordinal));
        Assert.Equal(BackupErrorId.IdentityMissing, Assert.Single(workspace.Run($"Compare-SHBackup {one.Id}").Errors).FullyQualifiedErrorId.Split(',')[0]);
    }

    public void Dispose() => workspace.Dispose();

    private void Execute(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }
}
