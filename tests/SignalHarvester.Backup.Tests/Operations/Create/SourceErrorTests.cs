using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Create;

/// <summary>Each kind of unusable source has its own error, and destroys nothing.</summary>
public sealed class SourceErrorTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void A_missing_database() => AssertFails(BackupErrorId.SourceNotFound, BackupErrorCategory.ObjectNotFound, "Restore-SHBackup");

    [Fact]
    public void A_database_in_a_missing_folder() =>
        AssertFails(BackupErrorId.SourceNotFound, BackupErrorCategory.ObjectNotFound, "Check the path", scene["none", "app.db"]);

    [Fact]
    public void A_link_to_nothing()
    {
        File.CreateSymbolicLink(scene.Database, scene["none"]);

        AssertFails(BackupErrorId.SourceNotFound, BackupErrorCategory.ObjectNotFound, "Check the path");
    }

    [Fact]
    public void A_link_to_itself()
    {
        File.CreateSymbolicLink(scene.Database, scene.Database);

        AssertFails(BackupErrorId.SourceNotFound, BackupErrorCategory.ObjectNotFound, "Check the path");
    }

    [Fact]
    public void A_link_is_followed_and_that_is_said()
    {
        Databases.CreateWithLeftWal(scene["real.db"]);
        File.CreateSymbolicLink(scene.Database, scene["real.db"]);

        var backup = scene.Create();

        Assert.Equal(ImageHash.Of(scene["real.db"]), backup.Checksum);
        Assert.Equal(scene["real.db"], backup.DatabasePath);
        Assert.Contains(
            scene.Warnings,
            warning => warning.Contains(scene.Database, StringComparison.Ordinal) && warning.Contains(scene["real.db"], StringComparison.Ordinal));
    }

    [Fact]
    public void A_directory()
    {
        scene.Files.Folder("app.db");

        AssertFails(BackupErrorId.SourceIsDirectory, BackupErrorCategory.InvalidArgument, "Get-ChildItem");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_pipe_does_not_hang()
    {
        Tool.Require("mkfifo").Run(scene.Database).EnsureSuccess();

        await Task.Run(
            () => AssertFails(BackupErrorId.SourceIsNotAFile, BackupErrorCategory.InvalidArgument, "Give the path"),
            TestContext.Current.CancellationToken);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("/dev/zero")]
    [InlineData("/dev/null")]
    public async Task A_device_does_not_hang(string device)
    {
        Assert.SkipUnless(File.Exists(device), $"there is no {device} here");

        await Task.Run(
            () => AssertFails(BackupErrorId.SourceIsNotAFile, BackupErrorCategory.InvalidArgument, "Give the path", device),
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public void An_empty_file()
    {
        File.WriteAllBytes(scene.Database, []);

        AssertFails(BackupErrorId.SourceEmpty, BackupErrorCategory.InvalidData, "Restore-SHBackup");
    }

    [Fact]
    public void An_empty_file_beside_a_log_that_may_hold_everything_keeps_the_log()
    {
        Databases.CreateWithLeftWal(scene.Database);
        File.WriteAllBytes(scene.Database, []);

        AssertFails(BackupErrorId.SourceEmpty, BackupErrorCategory.InvalidData, "Restore-SHBackup");
    }

    [Fact]
    public void A_text_file()
    {
        File.WriteAllText(scene.Database, string.Concat(Enumerable.Repeat("This is no database. ", 500)));

        AssertFails(BackupErrorId.SourceNotSqlite, BackupErrorCategory.InvalidData, "Check the path");
    }

    [Fact]
    public void An_encrypted_file()
    {
        var content = new byte[40960];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(scene.Database, content);

        AssertFails(BackupErrorId.SourceEncrypted, BackupErrorCategory.InvalidData, "SQLCipher");
    }

    [Fact]
    public void A_file_that_is_no_database_any_more_keeps_its_log()
    {
        var made = Databases.Create(scene["made.db"]);
        using (var user = Databases.Open(made))
        {
            Databases.Execute(user, "UPDATE customer SET domain = 'example.com' WHERE id = 1");
            File.Copy(made, scene.Database);
            File.Copy(made + "-wal", scene.Database + "-wal");
        }

        using (var file = File.OpenWrite(scene.Database))
        {
            file.Write(new byte[4096]);
        }

        AssertFails(BackupErrorId.SourceNotSqlite, BackupErrorCategory.InvalidData, "Check the path");
    }

    [Theory]
    [InlineData(JournalMode.Delete, 4096 * 3)]
    [InlineData(JournalMode.Wal, 4096 * 3)]
    [InlineData(JournalMode.Delete, (4096 * 3) + 100)]
    [InlineData(JournalMode.Wal, 4096)]
    public void A_file_cut_short(JournalMode mode, int length)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = mode });
        Cut(length);

        AssertFails(BackupErrorId.SourceTruncated, BackupErrorCategory.InvalidData, "-Force");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(99)]
    [InlineData(1000)]
    [InlineData(4095)]
    public void A_file_cut_within_its_first_page_is_some_error_of_the_source(int length)
    {
        Databases.Create(scene.Database);
        Cut(length);
        var before = Scene.Everything(scene.Files.Path);

        var error = Assert.Throws<BackupException>(() => scene.Create());

        Assert.Contains(
            error.ErrorId, (string[])[BackupErrorId.SourceTruncated, BackupErrorId.SourceNotSqlite, BackupErrorId.SourceCorrupt, BackupErrorId.SourceEmpty]);
        AssertNothingLost(before);
    }

    [Fact]
    public void A_damaged_database_is_no_backup_unless_it_is_wanted_and_then_marked()
    {
        Databases.Create(scene.Database);
        Damage();
        var image = ImageHash.Of(scene.Database);

        AssertFails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, "-Force");
        Assert.Empty(scene.Directory.List().Backups);

        var backup = scene.Create(new CreateBackupOptions { TolerateDamage = true });
        Assert.True(backup.IsSourceCorrupt);
        Assert.False(backup.Verified);
        Assert.Equal(image, backup.Checksum);
        Assert.True(scene.Directory.Get(backup.Id).IsSourceCorrupt);
        Assert.False(scene.Verify(backup).Backup.Verified);
    }

    [Theory]
    [InlineData(4096 * 3)]
    [InlineData((4096 * 3) + 100)]
    public void What_is_left_of_a_cut_database_is_kept_when_wanted_and_marked(int length)
    {
        Databases.Create(scene.Database);
        Cut(length);

        var backup = scene.Create(new CreateBackupOptions { TolerateDamage = true });

        Assert.True(backup.IsSourceCorrupt);
        Assert.False(backup.Verified);
        var left = File.ReadAllBytes(scene.Database);
        Assert.True(left.AsSpan().SequenceEqual(scene.Image(backup.BackupPath).AsSpan(0, left.Length)));
    }

    [Fact]
    public void A_file_that_may_not_be_read()
    {
        Databases.Create(scene.Database);
        AnotherUser.Allow(scene.Database, 0);

        AnotherUser.Run(() => AssertFails(BackupErrorId.SourceUnreadable, BackupErrorCategory.PermissionDenied, "account"));
    }

    [Fact]
    public void A_log_that_another_user_may_not_work_in()
    {
        Databases.CreateWithLeftWal(scene.Database);
        var readOnly = scene.Files.Folder("read-only");
        foreach (var ending in (string[])["", "-wal"])
        {
            File.Move(scene.Database + ending, Path.Combine(readOnly, "app.db" + ending));
            AnotherUser.Allow(Path.Combine(readOnly, "app.db" + ending), 0b100);
        }

        AnotherUser.Allow(readOnly, 0b101);

        AnotherUser.Run(
            () => AssertFails(BackupErrorId.SourceNeedsRecovery, BackupErrorCategory.PermissionDenied, "writable folder", Path.Combine(readOnly, "app.db")));
    }

    [Fact]
    public void A_hot_journal_that_another_user_may_not_roll_back()
    {
        var readOnly = scene.Files.Folder("read-only");
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        using (var user = Databases.Open(scene.Database))
        {
            Databases.Execute(user, "PRAGMA cache_size = 1; BEGIN; DELETE FROM reading");
            foreach (var ending in (string[])["", "-journal"])
            {
                File.Copy(scene.Database + ending, Path.Combine(readOnly, "app.db" + ending));
                AnotherUser.Allow(Path.Combine(readOnly, "app.db" + ending), 0b100);
            }
        }

        AnotherUser.Allow(readOnly, 0b101);

        AnotherUser.Run(
            () => AssertFails(BackupErrorId.SourceNeedsRecovery, BackupErrorCategory.PermissionDenied, "writable folder", Path.Combine(readOnly, "app.db")));
    }

    [Theory]
    [InlineData(JournalMode.Wal)]
    [InlineData(JournalMode.Delete)]
    public void A_cleanly_closed_database_that_may_only_be_read_is_backed_up(JournalMode mode)
    {
        var readOnly = scene.Files.Folder("read-only");
        var path = Databases.Create(Path.Combine(readOnly, "app.db"), new DatabaseShape { JournalMode = mode });
        var image = ImageHash.Of(path);
        var backups = scene.Files.Folder("backups");
        AnotherUser.Allow(path, 0b100);
        AnotherUser.Allow(readOnly, 0b101);
        AnotherUser.Allow(backups, 0b111);

        AnotherUser.Run(() => Assert.Equal(image, scene.Create(path: path).Checksum));

        Assert.Single(Directory.EnumerateFileSystemEntries(readOnly));
    }

    private void Cut(int length)
    {
        using var file = File.OpenWrite(scene.Database);
        file.SetLength(length);
    }

    private void Damage()
    {
        using var file = File.OpenWrite(scene.Database);
        file.Position = 4096 * 7;
        file.Write(Enumerable.Repeat((byte)0xA5, 4096).ToArray());
    }

    private void AssertFails(string errorId, BackupErrorCategory category, string action, string? path = null)
    {
        var before = path?.StartsWith("/dev", StringComparison.Ordinal) == true ? [] : Content();

        var error = Assert.Throws<BackupException>(() => scene.Create(new CreateBackupOptions { LockTimeout = Scene.ShortWait }, path));

        Assert.True(errorId == error.ErrorId, $"{error.ErrorId}: {error.Message}");
        Assert.Equal(category, error.Category);
        Assert.Contains(path ?? scene.Database, error.Message, StringComparison.Ordinal);
        Assert.Contains(action, error.Message, StringComparison.Ordinal);

        AssertNothingLost(before);
    }

    private SortedDictionary<string, string> Content() =>
        File.Exists(scene.Database) && new FileInfo(scene.Database) is { LinkTarget: null, Length: > 0 } && !AccessDenied()
            ? Scene.DatabaseFiles(scene.Database)
            : [];

    private bool AccessDenied() => !OperatingSystem.IsWindows() && File.GetUnixFileMode(scene.Database) == UnixFileMode.None;

    private void AssertNothingLost(SortedDictionary<string, string> before)
    {
        foreach ((var name, var digest) in before)
        {
            var path = name.Length == 0 || name[0] == '-' ? scene.Database + name : scene[name];
            Assert.True(File.Exists(path), $"{path} is gone");
            Assert.Equal(digest, Scene.Digest(path));
        }

        if (Directory.Exists(scene.Directory.Path))
        {
            Assert.Empty(scene.Directory.List().Backups);
            Assert.DoesNotContain(Directory.EnumerateFiles(scene.Directory.Path), file => file.EndsWith(".partial", StringComparison.Ordinal));
        }
    }
}
