using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>Whether a file is a database is seen without a descriptor of an open one, whose closing would drop the locks of this process.</summary>
public sealed class DatabaseFilesTests
{
    [Fact]
    public void A_look_at_an_open_database_leaves_it_its_locks()
    {
        using var folder = new TempFolder();
        var path = Databases.Create(folder["live.db"]);
        using (var connection = SqliteConnections.OpenForApplication(path, TimeSpan.Zero, standIns: false, TestContext.Current.CancellationToken))
        {
            // In WAL mode a writer's lock is on another file.
            SqliteConnections.Execute(connection, "PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE; CREATE TABLE held(x)");
            Assert.True(DatabaseFiles.IsDatabase(path));
            Assert.NotEqual(0, Write(path).ExitCode);
            SqliteConnections.Execute(connection, "COMMIT");
        }

        Assert.True(DatabaseFiles.IsDatabase(path));
        Assert.Equal(0, Write(path).ExitCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SQLite format 3")]
    [InlineData("This is a text, and it is longer than the header of a database has bytes, which are a hundred, so that only its beginning counts.")]
    public void Another_file_is_none(string content)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["file"], content);

        // While any test of this process is just opening a database, nobody knows which file that is, and each counts as one.
        Assert.All(
            (string[])[folder["file"], folder["missing"], folder.Path],
            path => Assert.True(SpinWait.SpinUntil(() => !DatabaseFiles.IsDatabase(path), TimeSpan.FromMinutes(1)), path));
        Assert.Empty(DatabaseFiles.Columns(folder["file"], "t"));
    }

    private static ToolResult Write(string path) => Tool.Require("sqlite3").Run(path, "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS other(x); COMMIT;");
}
