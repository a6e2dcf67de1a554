using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>After a restore, the destination is either the backup or unchanged.</summary>
public sealed class RestoreBackupTests : IDisposable
{
    private const string Content = "SELECT (SELECT group_concat(name) FROM customer) || (SELECT sum(length(content)) FROM attachment)";

    private readonly Scene scene = new();

    private string Target => scene["target.db"];

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData(JournalMode.Wal)]
    [InlineData(JournalMode.Delete)]
    public void To_a_missing_file_the_image_itself_is_restored(JournalMode mode)
    {
        var backup = Make(new DatabaseShape { JournalMode = mode });

        var restored = scene.RestoreTo(Target, backup);

        Assert.Equal(backup.Checksum, Scene.Digest(Target));
        Assert.Equal(backup.Id, restored.Id);
        AssertRestored();
        Assert.Single(scene.Directory.List().Backups);
    }

    [Fact]
    public void To_a_blank_file_that_somebody_has_open()
    {
        var backup = Make();
        using var user = Databases.Open(Target);
        Databases.Scalar(user, "SELECT count(*) FROM sqlite_schema");

        scene.RestoreTo(Target, backup);

        Assert.Equal(Expected(), Databases.Scalar(user, Content));
        AssertRestored();
    }

    [Theory]
    [InlineData(JournalMode.Wal, JournalMode.Wal)]
    [InlineData(JournalMode.Wal, JournalMode.Delete)]
    [InlineData(JournalMode.Delete, JournalMode.Wal)]
    [InlineData(JournalMode.Delete, JournalMode.Delete)]
    public void Over_a_database_in_use_its_user_sees_the_new_content(JournalMode source, JournalMode target)
    {
        var backup = Make(new DatabaseShape { JournalMode = source });
        Databases.Create(Target, new DatabaseShape { JournalMode = target, Rows = 3000 });
        using var user = Databases.Open(Target);
        var before = Databases.Scalar(user, Content);

        var restored = scene.RestoreTo(Target, backup);

        Assert.NotEqual(before, Expected());
        Assert.Equal(Expected(), Databases.Scalar(user, Content));
        Assert.Contains(restored.Verification, check => check is { Check: "RestoredImage", Passed: true });

        // The same pages are as sound as the image, which was checked before.
        Assert.DoesNotContain(restored.Verification, check => check.Check == "RestoredIntegrity");
        Assert.Contains(restored.Verification, check => check is { Check: "Integrity", Passed: true });
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('goes on')");
        user.Dispose();
        AssertIntegrity();
        AssertKept(before);
    }

    [Fact]
    public void Over_a_wal_database_with_an_open_reader_the_reader_keeps_its_view_and_then_sees_the_new_one()
    {
        var backup = Make();
        Databases.Create(Target, new DatabaseShape { Rows = 500 });
        using var user = Databases.Open(Target);
        Databases.Execute(user, "BEGIN");
        var before = Databases.Scalar(user, Content);

        scene.RestoreTo(Target, backup);

        Assert.Equal(before, Databases.Scalar(user, Content));
        Databases.Execute(user, "COMMIT");
        Assert.Equal(Expected(), Databases.Scalar(user, Content));
    }

    [Theory]
    [InlineData("BEGIN; SELECT count(*) FROM customer", JournalMode.Delete)]
    [InlineData("BEGIN EXCLUSIVE", JournalMode.Delete)]
    [InlineData("BEGIN IMMEDIATE", JournalMode.Wal)]
    public void Over_a_database_locked_for_good_it_is_an_error_and_nothing_is_changed(string sql, JournalMode mode)
    {
        var backup = Make(new DatabaseShape { JournalMode = mode });
        Databases.Create(Target, new DatabaseShape { JournalMode = mode, Rows = 500 });
        using var user = Databases.Open(Target);
        var image = ImageHash.Of(Target);
        using var command = user.CreateCommand();
        command.CommandText = sql;
        using var reading = command.ExecuteReader();
        reading.Read();

        var error = Scene.Fails(BackupErrorId.DestinationLocked, BackupErrorCategory.ResourceBusy, () => scene.RestoreTo(Target, backup));

        Assert.Contains(Target, error.Message, StringComparison.Ordinal);
        Assert.Contains("-LockTimeout", error.Message, StringComparison.Ordinal);
        reading.Dispose();
        Databases.Execute(user, "ROLLBACK");
        Assert.Equal(image, ImageHash.Of(Target));
        AssertNothingLeft();
    }

    [Theory]
    [InlineData(JournalMode.Delete, 4096, 1024)]
    [InlineData(JournalMode.Delete, 512, 65536)]
    [InlineData(JournalMode.Wal, 4096, 1024)]
    public void Over_a_database_of_another_page_size_that_nobody_uses(JournalMode mode, int source, int target)
    {
        var backup = Make(new DatabaseShape { PageSize = source, JournalMode = mode });
        Databases.Create(Target, new DatabaseShape { PageSize = target, JournalMode = mode, Rows = 500 });

        scene.RestoreTo(Target, backup);

        AssertRestored();
        AssertKept(null);
    }

    [Fact]
    public void Over_a_wal_database_of_another_page_size_in_use_it_is_refused()
    {
        var backup = Make(new DatabaseShape { PageSize = 1024 });
        Databases.Create(Target, new DatabaseShape { Rows = 500 });
        using var user = Databases.Open(Target);
        var before = Databases.Scalar(user, Content);

        var error = Scene.Fails(BackupErrorId.DestinationPageSizeDiffers, BackupErrorCategory.InvalidOperation, () => scene.RestoreTo(Target, backup));

        Assert.Contains("Stop the application", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Databases.Scalar(user, Content));
    }

    [Fact]
    public void What_only_the_log_of_the_target_holds_is_in_the_safety_backup()
    {
        var backup = Make();
        Databases.CreateWithLeftWal(Target, new DatabaseShape { Rows = 500 });
        var image = ImageHash.Of(Target);

        scene.RestoreTo(Target, backup);

        AssertRestored();
        Assert.Equal(image, Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety).Checksum);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("zeros")]
    [InlineData("page 1 gone, log there")]
    public void Over_a_dead_database_its_files_are_kept_as_they_were(string kind)
    {
        var backup = Make();
        var content = new byte[40960];
        switch (kind)
        {
            case "text":
                content.AsSpan().Fill((byte)'x');
                break;
            case "page 1 gone, log there":
                var made = Databases.Create(scene["made.db"]);
                using (var user = Databases.Open(made))
                {
                    Databases.Execute(user, "UPDATE customer SET domain = 'example.com' WHERE id = 1");
                    content = File.ReadAllBytes(made);
                    content.AsSpan(0, 4096).Fill(0x55);
                    File.Copy(made + "-wal", Target + "-wal");
                }

                break;
        }

        File.WriteAllBytes(Target, content);
        var before = Scene.DatabaseFiles(Target);

        scene.RestoreTo(Target, backup);

        AssertRestored();
        Assert.Equal(backup.Checksum, ImageHash.Of(Target));
        var kept = Assert.Single(Directory.EnumerateFiles(scene.Files.Path, "target.db.damaged-*"), file => !file.EndsWith("-wal", StringComparison.Ordinal)
            && !file.EndsWith("-shm", StringComparison.Ordinal));
        Assert.Equal(before, Scene.DatabaseFiles(kept));
        Assert.Contains(scene.Warnings, warning => warning.Contains(kept, StringComparison.Ordinal));
    }

    [Fact]
    public void What_looks_like_an_encrypted_database_in_use_is_refused_by_name()
    {
        var backup = Make();
        var content = new byte[40960];
        new Random(5).NextBytes(content);
        File.WriteAllBytes(Target, content);

        _ = Scene.Fails(BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidOperation, () => scene.RestoreTo(Target, backup));

        Assert.Equal(content, File.ReadAllBytes(Target));
    }

    [Theory]
    [InlineData("-wal", false)]
    [InlineData("-journal", false)]
    [InlineData("-shm", false)]
    [InlineData("-wal", true)]
    [InlineData("-journal", true)]
    [InlineData("-shm", true)]
    public void A_stale_log_or_journal_does_not_harm_what_is_restored(string companion, bool deadTarget)
    {
        var backup = Make();
        var other = Databases.CreateWithLeftWal(scene["other.db"], new DatabaseShape { Rows = 300 });
        File.Copy(other + "-wal", Target + companion);
        if (deadTarget)
        {
            File.WriteAllText(Target, string.Concat(Enumerable.Repeat("dead ", 1000)));
        }

        scene.RestoreTo(Target, backup);

        AssertRestored();
        Assert.Equal(Scene.WithoutCounters(scene.Image(backup.BackupPath)), Scene.WithoutCounters(File.ReadAllBytes(Target)));
    }

    [Theory]
    [InlineData(JournalMode.Delete, 300)]
    [InlineData(JournalMode.Delete, 4096 * 3)]
    [InlineData(JournalMode.Wal, (4096 * 3) + 100)]
    public void Over_a_database_cut_short_what_is_left_of_it_is_kept(JournalMode mode, int length)
    {
        var backup = Make();
        Databases.Create(Target, new DatabaseShape { JournalMode = mode });
        var left = File.ReadAllBytes(Target)[..length];
        File.WriteAllBytes(Target, left);

        scene.RestoreTo(Target, backup);

        AssertRestored();
        byte[][] kept =
        [
            .. Directory.EnumerateFiles(scene.Files.Path, "target.db.damaged-*").Select(File.ReadAllBytes),
            .. scene.Directory.List().Backups.Where(made => made is { IsSafety: true, IsSourceCorrupt: true }).Select(made => scene.Image(made.BackupPath)),
        ];
        Assert.True(Assert.Single(kept).AsSpan().StartsWith(left));
    }

    [Fact]
    public void Three_safety_backups_are_kept_and_the_one_that_is_restored_is_not_among_the_removed()
    {
        var backup = Make();
        Databases.Create(Target, new DatabaseShape { Rows = 10 });
        BackupMetadata? first = null;
        for (var round = 0; round < 4; round++)
        {
            scene.RestoreTo(Target, backup);
            first ??= Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety);
        }

        List<BackupMetadata> safety = [.. scene.Directory.List().Backups.Where(kept => kept.IsSafety)];
        Assert.Equal(3, safety.Count);
        Assert.DoesNotContain(first!.Id, safety.Select(kept => kept.Id));
        Assert.All(safety, kept => Assert.True(kept.Verified));
        Assert.All(safety, kept => Assert.Contains(backup.Id, kept.Description!, StringComparison.Ordinal));

        var oldest = safety[^1];
        scene.RestoreTo(Target, oldest);
        Assert.Contains(oldest.Id, scene.Directory.List().Backups.Select(kept => kept.Id));
        Assert.Contains(backup.Id, scene.Directory.List().Backups.Select(kept => kept.Id));
    }

    [Fact]
    public void Where_the_backup_directory_takes_no_safety_backup_it_goes_beside_the_target()
    {
        var backup = Make();
        Databases.Create(Target, new DatabaseShape { Rows = 10 });
        var image = ImageHash.Of(Target);
        File.WriteAllText(scene["a file"], "");
        var impossible = new BackupDirectory(scene["a file", "backups"], scene.Clock);

        scene.Restore(backup, new RestoreOptions { Destination = Target, SafetyDirectory = impossible });

        AssertRestored();
        Assert.Equal(image, Assert.Single(new BackupDirectory(Target + ".safety", scene.Clock).List().Backups).Checksum);
        Assert.Contains(scene.Warnings, warning => warning.Contains(Target + ".safety", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_safety_backup_none_is_made()
    {
        var backup = Make();
        Databases.Create(Target, new DatabaseShape { Rows = 10 });

        scene.Restore(backup, new RestoreOptions { Destination = Target });

        AssertRestored();
        Assert.Single(scene.Directory.List().Backups);
    }

    [Fact]
    public void A_link_is_followed_and_that_is_said()
    {
        var backup = Make();
        Databases.Create(scene["real.db"], new DatabaseShape { Rows = 10 });
        File.CreateSymbolicLink(Target, scene["real.db"]);

        scene.RestoreTo(Target, backup);

        Assert.Equal(scene["real.db"], new FileInfo(Target).LinkTarget);
        AssertRestored();
        Assert.Contains(scene.Warnings, warning => warning.Contains("is a link", StringComparison.Ordinal));
    }

    [Fact]
    public void A_link_to_itself_is_refused()
    {
        var backup = Make();
        File.CreateSymbolicLink(Target, Target);

        Scene.Fails(BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidArgument, () => scene.RestoreTo(Target, backup));
    }

    [Fact]
    public void A_directory_is_refused()
    {
        var backup = Make();

        var error = Scene.Fails(
            BackupErrorId.DestinationIsDirectory, BackupErrorCategory.InvalidArgument, () => scene.RestoreTo(scene.Files.Folder("target.db"), backup));

        Assert.Contains("Give the path", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_folder_is_refused_and_not_made()
    {
        var backup = Make();

        Scene.Fails(BackupErrorId.DestinationInvalid, BackupErrorCategory.ObjectNotFound, () => scene.RestoreTo(scene["none", "target.db"], backup));

        Assert.False(Directory.Exists(scene["none"]));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_device_or_a_pipe_is_refused()
    {
        var backup = Make();
        Tool.Require("mkfifo").Run(Target).EnsureSuccess();

        await Task.Run(
            () =>
            {
                foreach (var path in (string[])[Target, "/dev/null"])
                {
                    Scene.Fails(BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidArgument, () => scene.RestoreTo(path, backup));
                }
            },
            TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_backup_is_not_restored_verified_or_not(bool verify)
    {
        var backup = Make();
        var stored = File.ReadAllBytes(backup.BackupPath);
        stored[stored.Length / 2] ^= 1;
        File.WriteAllBytes(backup.BackupPath, stored);
        Databases.Create(Target, new DatabaseShape { Rows = 10 });
        var before = Scene.DatabaseFiles(Target);

        var error = Assert.Throws<BackupException>(
            () => scene.Restore(backup, new RestoreOptions { Destination = Target, SafetyDirectory = scene.Directory, Verify = verify }));

        Assert.Contains(error.ErrorId, (string[])[BackupErrorId.BackupChecksumMismatch, BackupErrorId.BackupCorrupt]);
        Assert.Equal(before, Scene.DatabaseFiles(Target));
        AssertNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_holds_no_database_never_takes_the_place_of_one(bool verify)
    {
        Databases.Create(Target, new DatabaseShape { Rows = 10 });
        var before = Scene.DatabaseFiles(Target);
        File.WriteAllText(scene["letter.txt"], string.Concat(Enumerable.Repeat("no database at all. ", 1000)));
        var letter = BackupFileLookup.Find(scene["letter.txt"], () => scene.Directory, scene.Clock).Backup;

        Scene.Fails(
            BackupErrorId.BackupIntegrityFailed,
            BackupErrorCategory.InvalidData,
            () => RestoreBackup.Run(
                new BackupSource(letter, BackupCatalog.None(() => scene.Directory)), new RestoreOptions { Destination = Target, Verify = verify },
                scene.Context()));

        Assert.Equal(before, Scene.DatabaseFiles(Target));
        AssertNothingLeft();
    }

    [Fact]
    public void Unverified_restores_do_without_the_checks_of_content()
    {
        var backup = Make();
        Databases.Create(Target, new DatabaseShape { Rows = 10 });

        var restored = scene.Restore(backup, new RestoreOptions { Destination = Target, Verify = false });

        Assert.Equal(["StoredSize", "StoredChecksum", "Decompression", "ImageChecksum"], restored.Verification.Select(check => check.Check));
        AssertRestored();
    }

    [Theory]
    [InlineData("Restoring backup_", JournalMode.Delete)]
    [InlineData("Checking integrity", JournalMode.Delete)]
    [InlineData("Backing up", JournalMode.Delete)]
    [InlineData("Restoring into", JournalMode.Delete)]
    [InlineData("Restoring into", JournalMode.Wal)]
    public void Cancelled_on_the_way_the_target_is_as_it_was(string moment, JournalMode mode)
    {
        var backup = Make(new DatabaseShape { JournalMode = mode, Rows = 3000 });
        Databases.Create(Target, new DatabaseShape { JournalMode = mode, Rows = 500 });
        var before = Scene.DatabaseFiles(Target);
        using var stop = new CancellationTokenSource();
        var context = scene.ContextUntil(stop.Token, told =>
        {
            if (told is OperationProgress progress && progress.Activity.StartsWith(moment, StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        });

        Assert.ThrowsAny<OperationCanceledException>(() => scene.RestoreTo(Target, backup, context));

        Assert.True(stop.IsCancellationRequested);
        Assert.Equal(before, Scene.DatabaseFiles(Target));
        AssertNothingLeft();
    }

    [Fact]
    public void A_target_that_may_not_be_written_is_refused_by_name()
    {
        var backup = Make();
        var folder = scene.Files.Folder("read-only");
        var path = Databases.Create(Path.Combine(folder, "target.db"), new DatabaseShape { JournalMode = JournalMode.Delete, Rows = 10 });
        AnotherUser.Allow(path, 0b100);
        AnotherUser.Allow(folder, 0b101);
        AnotherUser.Allow(backup.BackupPath, 0b100);
        var before = Scene.DatabaseFiles(path);

        AnotherUser.Run(() => Scene.Fails(
            BackupErrorId.DestinationNotWritable,
            BackupErrorCategory.PermissionDenied,
            () => scene.Restore(backup, new RestoreOptions { Destination = path })));

        Assert.Equal(before, Scene.DatabaseFiles(path));
    }

    private BackupMetadata Make(DatabaseShape? shape = null)
    {
        Databases.Create(scene.Database, shape);
        return scene.Create();
    }

    private string Expected()
    {
        using var source = Databases.Open(scene.Database);
        return Databases.Scalar(source, Content);
    }

    private void AssertRestored()
    {
        AssertIntegrity();
        using var restored = Databases.Open(Target);
        Assert.Equal(Expected(), Databases.Scalar(restored, Content));
        AssertNothingLeft();
    }

    private void AssertIntegrity() =>
        Assert.Equal("ok", Tool.Require("sqlite3").Run(Target, "PRAGMA integrity_check").EnsureSuccess().Output.Trim());

    private void AssertNothingLeft() =>
        Assert.Empty(Directory.EnumerateDirectories(Path.GetDirectoryName(Target)!, "shbackup-*"));

    private void AssertKept(string? content)
    {
        var safety = Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety);
        Assert.True(safety.Verified);
        Assert.Equal(Target, safety.DatabasePath);
        if (content is not null)
        {
            using var kept = Databases.Open(scene.Unpack(safety));
            Assert.Equal(content, Databases.Scalar(kept, Content));
        }
    }
}
