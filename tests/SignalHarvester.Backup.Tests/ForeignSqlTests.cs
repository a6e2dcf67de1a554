using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests;

/// <summary>A database whose application brings its own collations and functions is backed up and verified all the same.</summary>
public sealed class ForeignSqlTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void With_a_collation_of_the_application()
    {
        Make(connection =>
        {
            connection.CreateCollation("my.coll'", (left, right) => -string.CompareOrdinal(left, right));
            Databases.Execute(connection, "CREATE TABLE t(name TEXT COLLATE \"my.coll'\"); CREATE INDEX t_name ON t(name); INSERT INTO t VALUES ('a'), ('b'), ('c')");
        });

        BackupMetadata backup = scene.Create();

        Assert.True(backup.Verified);
        Assert.Equal(3, backup.RowCounts!["t"]);
        Assert.Contains("quick_check", backup.Verification.Single(check => check.Check == "Integrity").Detail, StringComparison.Ordinal);
        Assert.Null(scene.Verify(backup).Fault);
    }

    [Fact]
    public void With_an_index_on_a_function_of_the_application()
    {
        Make(connection =>
        {
            connection.CreateFunction("myf", (long value) => value * 2, isDeterministic: true);
            Databases.Execute(connection, "CREATE TABLE t(n INTEGER); CREATE INDEX t_n ON t(myf(n)); INSERT INTO t VALUES (1), (2)");
        });

        BackupMetadata backup = scene.Create();

        Assert.True(backup.Verified);
        Assert.Equal(2, backup.RowCounts!["t"]);
        Assert.Null(scene.Verify(backup).Fault);
    }

    private void Make(Action<SqliteConnection> make)
    {
        using SqliteConnection connection = Databases.Open(Databases.CreateEmpty(scene.Database));
        make(connection);
    }
}
