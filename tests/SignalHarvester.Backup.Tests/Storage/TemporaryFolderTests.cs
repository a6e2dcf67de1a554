using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Storage;

public sealed class TemporaryFolderTests : IDisposable
{
    private readonly TempFolder files = new();

    private static string DeadName => "shbackup-" + Guid.NewGuid().ToString("N");

    public void Dispose() => files.Dispose();

    [Fact]
    public void The_folder_is_private_and_gone_afterwards()
    {
        using (var folder = TemporaryFolder.Create(files["tmp"]))
        {
            File.WriteAllText(folder.FilePath("image.db"), "secret");
            if (!OperatingSystem.IsWindows())
            {
                const UnixFileMode ownersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
                Assert.Equal(ownersAlone, File.GetUnixFileMode(folder.Path));
                Assert.Equal(ownersAlone, File.GetUnixFileMode(files["tmp"]));
            }
        }

        // Not by the folder's own path: it leads through a descriptor, whose number may be another file's by now.
        Assert.Empty(Directory.EnumerateFileSystemEntries(files["tmp"]));
    }

    [Fact]
    public void What_a_dead_process_left_is_swept()
    {
        var dead = files.Folder(DeadName);
        File.WriteAllText(Path.Combine(dead, ".lock"), "");
        File.WriteAllText(Path.Combine(dead, "image.db"), "secret");
        var withoutLock = files.Folder(DeadName);
        if (!OperatingSystem.IsWindows())
        {
            // With the mode of our folders: a folder that others may write to is not ours.
            File.SetUnixFileMode(dead, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.SetUnixFileMode(withoutLock, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        using var folder = TemporaryFolder.Create(files.Path);

        Assert.False(Directory.Exists(dead));
        Assert.False(Directory.Exists(withoutLock));
    }

    [Fact]
    public void What_a_living_process_uses_stays()
    {
        using var living = TemporaryFolder.Create(files.Path);
        File.WriteAllText(living.FilePath("image.db"), "in use");

        using (TemporaryFolder.Create(files.Path))
        {
            Assert.Equal("in use", File.ReadAllText(living.FilePath("image.db")));
        }

        Assert.True(File.Exists(living.FilePath("image.db")));
    }

    [Theory]
    [InlineData("shbackup-settings")]
    [InlineData("shbackup-0123456789abcdef")]
    [InlineData("shbackup-0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("shbackup-0123456789abcdef0123456789abcdef.old")]
    public void A_users_folder_of_a_similar_name_stays(string name)
    {
        File.WriteAllText(Path.Combine(files.Folder(name), "precious"), "mine");

        TemporaryFolder.Create(files.Path).Dispose();

        Assert.Equal("mine", File.ReadAllText(files[name, "precious"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(files[name]));
    }

    [Fact]
    public void A_link_of_such_a_name_is_not_followed()
    {
        File.WriteAllText(Path.Combine(files.Folder("precious"), "file"), "mine");
        Directory.CreateDirectory(files["tmp"]);
        Directory.CreateSymbolicLink(files["tmp", DeadName], files["precious"]);

        TemporaryFolder.Create(files["tmp"]).Dispose();

        Assert.Equal("mine", File.ReadAllText(files["precious", "file"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(files["precious"]));
    }
}
