using System.Runtime.Versioning;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>A log gets the owner of the database that is being restored, and not of a file that has its name meanwhile.</summary>
public sealed class OpenFileAccessTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Theory]
    [UnsupportedOSPlatform("windows")]
    [InlineData(false)]
    [InlineData(true)]
    public void Whose_an_open_database_is_is_told_by_the_open_file_whatever_has_its_name_by_now(bool isOpenTwice)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no modes");
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        File.SetUnixFileMode(scene.Database, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var locks = new DatabaseLocks(scene.Database, TimeSpan.Zero, scene.Context());
        using var connection = locks.Connect();
        Databases.Execute(connection, "BEGIN EXCLUSIVE");
        using var other = isOpenTwice ? locks.Connect() : null;

        File.Move(scene.Database, scene.Database + ".moved");
        File.WriteAllText(scene.Database, "another's");
        File.SetUnixFileMode(scene.Database, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var log = scene.Database + ".log";
        using (var file = DurableFile.CreatePrivate(log, FileShare.None))
        {
            FileOwnership.Copy(SqliteDescriptors.AccessOf(scene.Database), file);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(log));

        // None of its descriptors was closed, so the lock holds.
        Assert.Equal(
            "5",
            Tool.Require("sqlite3").Run(scene.Database + ".moved", "BEGIN IMMEDIATE").ExitCode.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Of_what_is_not_open_nothing_is_told() => Assert.Null(SqliteDescriptors.AccessOf(scene.Database));
}
