using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>A backup is the database, to the byte, and making one leaves no trace in it.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly Scene scene = new();

    public static TheoryData<string, bool> ShapesAndMethods()
    {
        var data = new TheoryData<string, bool>();
        foreach (var shape in Databases.Shapes.Keys)
        {
            data.Add(shape, false);
            data.Add(shape, true);
        }

        return data;
    }

    public static TheoryData<int> PageSizes => [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

    public static TheoryData<string> RealNames => [.. RealDatabases.Names];

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(ShapesAndMethods))]
    public void The_backup_is_the_image_and_the_source_stays_as_it_is(string shape, bool stepped)
    {
        Databases.Create(scene.Database, Databases.Shapes[shape]);

        AssertFaithful(stepped);

        Assert.False(File.Exists(scene.Database + "-wal"));
        Assert.False(File.Exists(scene.Database + "-shm"));
    }

    [Theory]
    [InlineData(JournalMode.Wal, false)]
    [InlineData(JournalMode.Wal, true)]
    [InlineData(JournalMode.Delete, false)]
    [InlineData(JournalMode.Delete, true)]
    public void A_database_without_tables_is_backed_up(JournalMode mode, bool stepped)
    {
        Databases.CreateEmpty(scene.Database, new DatabaseShape { JournalMode = mode });

        AssertFaithful(stepped);
    }

    [Theory]
    [MemberData(nameof(PageSizes))]
    public void What_only_the_log_of_a_database_in_use_holds_is_in_the_backup(int pageSize)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database, new DatabaseShape { PageSize = pageSize });
        var expected = ImageHash.Of(user);
        var before = Scene.DatabaseFiles(scene.Database);

        var backup = scene.Create();

        Assert.Equal(expected, backup.Checksum);
        Assert.Equal("pinned", backup.Metadata["snapshot_method"]);
        Assert.Equal(before, Scene.DatabaseFiles(scene.Database));
        AssertSound(scene.Unpack(backup), expected);
    }

    [Theory]
    [InlineData(512, false)]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    [InlineData(65536, false)]
    public void A_log_left_by_a_crash_is_in_the_backup_and_stays_where_it_is(int pageSize, bool stepped)
    {
        Databases.CreateWithLeftWal(scene.Database, new DatabaseShape { PageSize = pageSize });

        AssertFaithful(stepped);

        Assert.True(File.Exists(scene.Database + "-wal"));
    }

    [Fact]
    public void A_log_with_big_endian_checksums_is_read_like_any_other()
    {
        Databases.CreateWithLeftWal(scene.Database);
        var expected = ImageHash.Of(scene.Database);
        WalFiles.Rewrite(scene.Database + "-wal", bigEndian: true);
        Assert.Equal(expected, ImageHash.Of(scene.Database));

        AssertFaithful(stepped: false);
    }

    [Fact]
    public void A_log_whose_end_was_never_committed_is_read_up_to_its_last_commit_and_kept()
    {
        Databases.CreateWithLeftWal(scene.Database);
        var expected = ImageHash.Of(scene.Database);
        using (var wal = File.Open(scene.Database + "-wal", FileMode.Append))
        {
            wal.Write(new byte[3 * (24 + 4096) + 17]);
        }

        AssertFaithful(stepped: false);
        Assert.Equal(expected, scene.Directory.List().Backups[0].Checksum);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_hot_rollback_journal_is_rolled_back_first(bool stepped)
    {
        var committed = MakeHotJournal();

        var backup = scene.Create(new CreateBackupOptions { ForceStepped = stepped });

        Assert.Equal(committed, Rows(scene.Unpack(backup)));
        Assert.True(backup.Verified);
    }

    [Theory]
    [InlineData(JournalMode.Wal, false)]
    [InlineData(JournalMode.Delete, false)]
    [InlineData(JournalMode.Wal, true)]
    public void A_database_over_the_lock_byte_page_is_backed_up(JournalMode mode, bool stepped)
    {
        Databases.CreateOverLockPage(scene.Database, mode);
        var expected = ImageHash.Of(scene.Database);

        var backup = scene.Create(new CreateBackupOptions { ForceStepped = stepped, Verify = false });

        (var length, var checksum) = Scene.HashImage(backup.BackupPath);
        Assert.True(length > 0x40000000);
        Assert.Equal(backup.Checksum, checksum);
        if (!stepped)
        {
            Assert.Equal(expected, checksum);
        }
    }

    [Theory]
    [MemberData(nameof(RealNames))]
    public void A_real_database_is_backed_up(string name)
    {
        RealDatabases.Copy(name, scene.Database, JournalMode.Wal);

        AssertFaithful(stepped: false);
    }

    [Fact]
    public void A_real_database_is_backed_up_step_by_step()
    {
        RealDatabases.Copy("proj", scene.Database);

        AssertFaithful(stepped: true);
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void Every_compression_is_undone_by_plain_tools(CompressionType compression)
    {
        Databases.Create(scene.Database, new DatabaseShape { Rows = 20_000 });
        var expected = ImageHash.Of(scene.Database);

        var backup = scene.Create(new CreateBackupOptions { Compression = compression });

        AssertSound(scene.Unpack(backup), expected);
        Assert.Equal(compression, backup.Compression);
        Assert.Equal(new FileInfo(backup.BackupPath).Length, backup.Size);
        Assert.Equal(Scene.Digest(backup.BackupPath), backup.StoredChecksum);
    }

    [Fact]
    public void Commits_and_checkpoints_after_the_snapshot_are_not_in_it()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var expected = ImageHash.Of(user);
        using var pinned = LiveDatabase.Open(scene.Database, Scene.ShortWait, tolerateDamage: false, CancellationToken.None);

        for (var round = 0; round < 5; round++)
        {
            Databases.AddRows(user, 200);
            Databases.Execute(user, "PRAGMA wal_checkpoint(PASSIVE)");
        }

        Assert.Equal(expected, HashOf(pinned));
        Assert.NotEqual(expected, ImageHash.Of(user));
    }

    [Fact]
    public void A_snapshot_taken_over_an_empty_log_stays_whole_when_the_log_fills()
    {
        Databases.Create(scene.Database);
        using var user = Databases.Open(scene.Database);
        Databases.Scalar(user, "SELECT count(*) FROM customer");
        var expected = ImageHash.Of(user);
        using var pinned = LiveDatabase.Open(scene.Database, Scene.ShortWait, tolerateDamage: false, CancellationToken.None);
        Databases.Execute(user, "PRAGMA wal_autocheckpoint = 1");
        for (var round = 0; round < 5; round++)
        {
            Databases.AddRows(user, 100);
            Databases.Execute(user, "PRAGMA wal_checkpoint(PASSIVE)");
        }

        Assert.Equal(expected, HashOf(pinned));
    }

    /// <summary>A reader of the application keeps such a log from beginning anew, and it may become large.</summary>
    [Fact]
    public void Frames_that_a_checkpoint_has_copied_are_read_from_the_database_file()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        using var reader = Databases.Open(scene.Database);
        Databases.AddRows(user, 200);
        Databases.Execute(reader, "BEGIN");
        Databases.Scalar(reader, "SELECT count(*) FROM customer");
        Databases.AddRows(user, 200);
        Databases.Execute(user, "PRAGMA wal_checkpoint(PASSIVE)");
        Databases.AddRows(user, 200);
        var expected = ImageHash.Of(user);

        // It was copied, so nobody reads it any more.
        using (var log = new FileStream(scene.Database + "-wal", FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            log.Position = WalFormat.HeaderSize + WalFormat.FrameHeaderSize;
            log.Write(new byte[100]);
        }

        using var pinned = LiveDatabase.Open(scene.Database, Scene.ShortWait, tolerateDamage: false, CancellationToken.None);
        Assert.Equal(expected, HashOf(pinned));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_snapshot_is_whole_however_much_of_its_log_was_copied(int seed)
    {
        var random = new Random(seed);
        using var user = Databases.CreateWithLiveWal(scene.Database);
        SqliteConnection? reader = null;
        for (var step = 0; step < 60; step++)
        {
            switch (random.Next(6))
            {
                case 0 when reader is null:
                    reader = Databases.Open(scene.Database);
                    Databases.Execute(reader, "BEGIN");
                    Databases.Scalar(reader, "SELECT count(*) FROM customer");
                    break;
                case 0:
                    reader!.Dispose();
                    reader = null;
                    break;
                case 1:
                    Databases.Execute(user, "PRAGMA wal_checkpoint(PASSIVE)");
                    break;
                case 2:
                    Databases.Execute(user, $"UPDATE attachment SET content = randomblob(100) WHERE rowid % {random.Next(2, 50)} = 0");
                    break;
                default:
                    Databases.AddRows(user, random.Next(1, 100));
                    break;
            }

            var expected = ImageHash.Of(user);
            using var pinned = LiveDatabase.Open(scene.Database, Scene.ShortWait, tolerateDamage: false, CancellationToken.None);
            if (random.Next(2) == 0)
            {
                // It copies what the snapshot has, but for the pages that are written once more.
                Databases.AddRows(user, 10);
                Databases.Execute(user, "PRAGMA wal_checkpoint(PASSIVE)");
            }

            Assert.Equal(expected, HashOf(pinned));
        }

        reader?.Dispose();
    }

    [Fact]
    public void A_log_that_is_not_the_pinned_one_is_refused()
    {
        Databases.CreateWithLeftWal(scene.Database);
        using var pinned = LiveDatabase.Open(scene.Database, Scene.ShortWait, tolerateDamage: false, CancellationToken.None);
        var wal = File.ReadAllBytes(scene.Database + "-wal");
        byte[] damaged = [.. wal];
        damaged[WalFormat.HeaderSize + WalFormat.FrameHeaderSize + 2000] ^= 1;
        using (var file = File.OpenWrite(scene.Database + "-wal"))
        {
            file.Write(damaged);
        }

        Assert.Throws<SnapshotLostException>(() => pinned.PinImage(CancellationToken.None));
    }

    [Fact]
    public void Page_1_of_a_stepped_copy_differs_in_sqlites_own_counters_only()
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });

        AssertFaithful(stepped: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cancelled_backup_leaves_nothing(bool stepped)
    {
        Databases.Create(scene.Database, new DatabaseShape { Rows = 20_000 });
        scene.Create();
        var before = Scene.Everything(scene.Directory.Path);
        var source = Scene.DatabaseFiles(scene.Database);
        foreach (var moment in (string[])["Backing up", "Verifying", "Checking integrity"])
        {
            using var stop = new CancellationTokenSource();
            var context = scene.ContextUntil(stop.Token, told =>
            {
                if (told is OperationProgress progress && progress.Activity.StartsWith(moment, StringComparison.Ordinal))
                {
                    stop.Cancel();
                }
            });

            Assert.ThrowsAny<OperationCanceledException>(() => scene.Create(new CreateBackupOptions { ForceStepped = stepped }, context: context));

            Assert.True(stop.IsCancellationRequested);
            Assert.Equal(before, Scene.Everything(scene.Directory.Path));
            Assert.Equal(source, Scene.DatabaseFiles(scene.Database));
        }
    }

    private void AssertFaithful(bool stepped)
    {
        var expected = ImageHash.Of(scene.Database);
        var before = Scene.DatabaseFiles(scene.Database);

        var backup = scene.Create(new CreateBackupOptions { ForceStepped = stepped });

        Assert.Equal(before, Scene.DatabaseFiles(scene.Database));
        Assert.True(backup.Verified);
        Assert.Equal(stepped ? "stepped" : "pinned", backup.Metadata["snapshot_method"]);
        Assert.Equal(backup.PageCount * backup.PageSize, backup.DatabaseSize);
        var image = scene.Unpack(backup);
        AssertSound(image, backup.Checksum!);
        if (!stepped)
        {
            Assert.Equal(expected, backup.Checksum);
            return;
        }

        var copy = Scene.WithoutCounters(File.ReadAllBytes(image));
        var pinned = Scene.WithoutCounters(scene.Image(scene.Create().BackupPath));
        Assert.True(pinned.AsSpan().SequenceEqual(copy), "the stepped copy differs from the pinned one outside page 1's counters");
    }

    private static void AssertSound(string image, string checksum)
    {
        Assert.Equal(checksum, Scene.Digest(image));
        Assert.Equal("ok", Tool.Require("sqlite3").Run("-readonly", image, "PRAGMA integrity_check").EnsureSuccess().Output.Trim());
    }

    private string MakeHotJournal()
    {
        var made = scene["made.db"];
        Databases.Create(made, new DatabaseShape { JournalMode = JournalMode.Delete });
        var committed = Rows(made);
        using var user = Databases.Open(made);
        Databases.Execute(user, "PRAGMA cache_size = 1; BEGIN; UPDATE customer SET name = 'lost ' || name; DELETE FROM reading WHERE at > 600");
        File.Copy(made, scene.Database);
        File.Copy(made + "-journal", scene.Database + "-journal");
        Databases.Execute(user, "ROLLBACK");
        Assert.NotEqual(0u, BinaryPrimitives.ReadUInt32BigEndian(File.ReadAllBytes(scene.Database + "-journal")));
        return committed;
    }

    private static string Rows(string path)
    {
        using var connection = Databases.Open(path);
        return Databases.Scalar(connection, "SELECT group_concat(name) || (SELECT count(*) FROM reading) FROM customer");
    }

    private static string HashOf(LiveDatabase pinned)
    {
        using var image = pinned.PinImage(CancellationToken.None);
        var content = new byte[image.Length];
        image.Read(1, content);
        image.ConfirmUnchanged();
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }
}
