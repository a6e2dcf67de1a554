using System.Security.Cryptography;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Create;

/// <summary>
/// A WAL backup takes the commits since its parent from the database's own log, but only if that is proved. The image is right in
/// every case.
/// </summary>
public sealed class WalBackupTests : IDisposable
{
    private static readonly CreateBackupOptions Tail = new() { Strategy = BackupStrategy.Wal };

    private readonly Scene scene = new();

    public static TheoryData<int> PageSizes => [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

    public static TheoryData<BackupStrategy> Strategies => [.. Enum.GetValues<BackupStrategy>()];

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(PageSizes))]
    public void What_a_log_has_committed_since_the_parent_is_taken_from_it(int pageSize)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database, new DatabaseShape { PageSize = pageSize });
        var parent = scene.Create();
        var before = new FileInfo(scene.Database + "-wal").Length;
        Databases.AddRows(user, 30);
        Databases.Execute(user, "UPDATE customer SET name = name || '!' WHERE id = 7");
        var frames = (new FileInfo(scene.Database + "-wal").Length - before) / (24 + pageSize);

        var backup = CreateTail(parent);

        Assert.InRange((long)backup.Metadata["changed_pages"]!, 1, frames);
        AssertRestores(backup);
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void It_continues_a_backup_of_any_kind(BackupStrategy strategy)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        parent = scene.Create(new CreateBackupOptions { Strategy = strategy });
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('two')");

        AssertRestores(CreateTail(parent));
    }

    [Fact]
    public void The_sidecar_says_that_the_image_is_not_known_until_a_full_test_finds_it()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");

        var backup = CreateTail(parent);

        Assert.Equal((true, VerificationLevel.Quick), (backup.Verified, backup.VerificationLevel));
        var listed = scene.Directory.Get(backup.Id);
        Assert.Null(listed.Checksum);
        Assert.Null(listed.RowCounts);
        Assert.NotNull(listed.PagesChecksum);
        Assert.Equal(Scene.Digest(scene.Unpack(listed)), listed.WalChecksum);
        Assert.True(scene.Verify(listed, VerificationLevel.Quick).Backup.Verified);
        Assert.Null(scene.Directory.Get(backup.Id).Checksum);

        var outcome = scene.Verify(listed);

        Assert.Null(outcome.Fault);
        Assert.Contains(outcome.Backup.Verification, check => check is { Check: "PagesChecksum", Passed: true });
        listed = scene.Directory.Get(backup.Id);
        Assert.Equal(Hash(TrueImage.Of(scene.Database)), listed.Checksum);
        Assert.Equal(VerificationLevel.Full, listed.VerificationLevel);
        Assert.NotNull(listed.RowCounts);
        Assert.DoesNotContain(scene.Verify(listed).Backup.Verification, check => !check.Passed);
    }

    [Fact]
    public void The_database_file_plays_no_part()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.AddRows(user, 20);
        var truth = TrueImage.Of(scene.Database);
        var main = File.ReadAllBytes(scene.Database);

        // Only the header page is intact; a backup that read more would store something else, or fail.
        File.WriteAllBytes(scene.Database, [.. main[..4096], .. RandomNumberGenerator.GetBytes(main.Length - 4096)]);
        var backup = CreateTail(parent);
        File.WriteAllBytes(scene.Database, main);

        AssertRestores(backup, truth);
    }

    [Fact]
    public void Nothing_committed_since_makes_a_log_without_frames()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();

        var backup = CreateTail(parent);

        Assert.Equal(0L, backup.Metadata["changed_pages"]);
        Assert.Equal(32, new FileInfo(scene.Unpack(backup)).Length);
        AssertRestores(backup);
    }

    [Fact]
    public void A_log_that_was_worked_in_but_not_begun_anew_continues()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        Assert.Equal("0", Databases.Scalar(user, "PRAGMA wal_checkpoint(FULL)"));

        AssertRestores(CreateTail(parent));
    }

    [Fact]
    public void A_log_left_by_a_crash_continues_when_somebody_has_gone_on_with_it()
    {
        Databases.CreateWithLeftWal(scene.Database);
        var parent = scene.Create();
        using (var wal = File.Open(scene.Database + "-wal", FileMode.Append))
        {
            // The pages of an unfinished transaction.
            wal.Write(new byte[5 * (24 + 4096)]);
        }

        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, "PRAGMA wal_autocheckpoint = 0; INSERT INTO audit(what) VALUES ('one')");

        AssertRestores(CreateTail(parent));
    }

    [Fact]
    public void Frames_of_a_transaction_under_way_are_not_taken()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        var truth = TrueImage.Of(scene.Database);
        var committed = new FileInfo(scene.Database + "-wal").Length;
        Databases.Execute(user, "PRAGMA cache_size = 1; BEGIN; UPDATE customer SET name = 'lost ' || name; DELETE FROM reading");
        Assert.True(new FileInfo(scene.Database + "-wal").Length > committed);

        var backup = CreateTail(parent);
        Databases.Execute(user, "ROLLBACK; INSERT INTO audit(what) VALUES ('two')");

        AssertRestores(backup, truth);
        AssertRestores(CreateTail(backup));
    }

    [Fact]
    public void A_database_that_shrank_by_vacuum_within_its_log()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "DELETE FROM attachment; DELETE FROM reading; VACUUM");

        var backup = CreateTail(parent);

        Assert.True(backup.PageCount < parent.PageCount);
        AssertRestores(backup);
    }

    [Fact]
    public void A_database_that_shrank_and_grew_again_within_its_log()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "DELETE FROM attachment; DELETE FROM reading; VACUUM");
        Databases.AddRows(user, 3000);

        var backup = CreateTail(parent);

        Assert.True(backup.PageCount > parent.PageCount);
        AssertRestores(backup);
    }

    [Theory]
    [InlineData("INSERT INTO audit(what) VALUES ('one'); PRAGMA wal_checkpoint(RESTART); INSERT INTO audit(what) VALUES ('two')", "restarted")]
    [InlineData("INSERT INTO audit(what) VALUES ('one'); PRAGMA wal_checkpoint(TRUNCATE)", "restarted")]
    [InlineData("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO audit(what) VALUES ('two')", "restarted")]
    [InlineData("PRAGMA journal_mode = DELETE; INSERT INTO audit(what) VALUES ('two')", "restarted")]
    [InlineData("PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL; INSERT INTO audit(what) VALUES ('two')", "restarted")]
    public void A_log_that_does_not_continue_the_parent_is_not_used_and_that_is_said(string sql, string reason)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, sql);

        var backup = CreateByComparison(parent, reason);

        // It is not needed to continue.
        Databases.Execute(user, "PRAGMA journal_mode = WAL; INSERT INTO audit(what) VALUES ('three')");
        var next = scene.Create(Tail);
        Assert.Equal(backup.Id, next.ParentId);
        AssertRestores(next);
    }

    [Fact]
    public void A_parent_made_over_an_empty_log_has_no_place_to_continue_from()
    {
        Databases.Create(scene.Database);
        var parent = scene.Create();
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");

        AssertRestores(CreateTail(CreateByComparison(parent, "log was empty")));
    }

    [Fact]
    public void A_parent_copied_by_the_backup_api_has_no_place_to_continue_from()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create(new CreateBackupOptions { ForceStepped = true });

        CreateByComparison(parent, "log was empty");
    }

    [Fact]
    public void A_database_in_rollback_journal_mode_has_no_log()
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        var parent = scene.Create();

        CreateByComparison(parent, "was empty or missing");
    }

    [Fact]
    public void Two_databases_that_were_one_go_separate_ways_in_their_logs()
    {
        // The same log up to the first backup, by copies of the files; from there on the same salts, but other frames.
        using (var user = Databases.CreateWithLiveWal(scene.Database))
        {
            foreach (var ending in (string[])["", "-wal"])
            {
                File.Copy(scene.Database + ending, scene["twin.db" + ending]);
            }

            var first = scene.Create();
            Databases.Execute(user, "INSERT INTO audit(what) VALUES ('here')");
            AssertRestores(CreateTail(first));
        }

        foreach (var ending in (string[])["", "-wal"])
        {
            File.Delete(scene.Database + ending);
            File.Copy(scene["twin.db" + ending], scene.Database + ending);
        }

        using var twin = Databases.Open(scene.Database);
        Databases.Execute(twin, "PRAGMA wal_autocheckpoint = 0; INSERT INTO audit(what) VALUES ('there'); INSERT INTO audit(what) VALUES ('too')");
        var listed = scene.Directory.List().Backups;

        // The other log has a frame at that place, but another one.
        CreateByComparison(listed[0], "restarted");
        AssertRestores(CreateTail(listed[1], Tail with { ParentId = listed[1].Id }));
    }

    [Fact]
    public void The_backup_checkpoints_nothing_and_leaves_no_trace()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        var before = Scene.DatabaseFiles(scene.Database);

        CreateTail(parent);

        Assert.Equal(before, Scene.DatabaseFiles(scene.Database));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void Each_of_thirty_backups_under_writers_is_the_state_after_one_of_their_commits(int walAutoCheckpoint)
    {
        var options = new WriterOptions
        {
            DatabasePath = scene.Database,
            WalAutoCheckpoint = walAutoCheckpoint,
            Threads = 3,
            Accounts = 4000,
            RowBytes = 300,
        };
        List<(BackupMetadata Backup, long AtLeast, long AtMost)> made = [];
        using (var writer = WriterProcess.Start(options))
        {
            for (var i = 0; i < 30; i++)
            {
                var atLeast = writer.CommittedAtLeast;
                var backup = scene.Create(Tail with { LockTimeout = TimeSpan.FromSeconds(60) });
                made.Add((backup, atLeast, writer.CommittedAtMost));
                writer.WaitForCommits(1);
            }

            writer.Stop();
        }

        if (walAutoCheckpoint == 0)
        {
            // Nobody has checkpointed the log, so all except the first continue it.
            Assert.All(made.Skip(1), entry => Assert.Equal(BackupType.Wal, entry.Backup.Type));
        }

        foreach ((var backup, var atLeast, var atMost) in made)
        {
            Assert.True(backup.Verified);
            var restored = scene["restored.db"];
            scene.Restore(backup, new RestoreOptions { Destination = restored, Verify = false });
            Assert.InRange(Invariant.Check(restored, options.CommitJournalPath), atLeast, atMost);
            File.Delete(restored);
        }

        Assert.Null(scene.Verify(made[^1].Backup).Fault);
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void A_flipped_bit_in_the_backup_or_in_its_parent_is_found(CompressionType compression)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create(new CreateBackupOptions { Compression = compression });
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        var backup = CreateTail(parent, Tail with { Compression = compression });
        string[] errorIds = [BackupErrorId.BackupCorrupt, BackupErrorId.BackupChecksumMismatch, BackupErrorId.ChainBroken];
        foreach (var file in (string[])[backup.BackupPath, parent.BackupPath])
        {
            var good = File.ReadAllBytes(file);
            for (var i = 1; i < 8; i++)
            {
                byte[] bad = [.. good];
                bad[bad.Length * i / 8] ^= (byte)(1 << i);
                File.WriteAllBytes(file, bad);

                foreach (var level in (VerificationLevel[])[VerificationLevel.Quick, VerificationLevel.Full])
                {
                    Assert.Contains(scene.Verify(backup, level).Fault!.ErrorId, errorIds);
                    Assert.False(scene.Directory.Get(backup.Id).Verified);
                }

                var error = Assert.Throws<BackupException>(() => scene.RestoreTo(scene["new.db"], backup));
                Assert.Contains(error.ErrorId, errorIds);
                Assert.False(File.Exists(scene["new.db"]));
            }

            File.WriteAllBytes(file, good);
            Assert.Null(scene.Verify(backup).Fault);
        }
    }

    [Fact]
    public void Another_image_than_the_one_that_was_there_is_found_by_its_page_digests()
    {
        // All checksums of files are right, and yet it is not the image: only the digest over the pages shows it.
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create(new CreateBackupOptions { Compression = CompressionType.None });
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        var backup = CreateTail(parent);
        var image = File.ReadAllBytes(parent.BackupPath);
        image[^1] ^= 1;
        File.WriteAllBytes(parent.BackupPath, image);
        var sidecar = Path.ChangeExtension(scene.Stored(parent.Id), ".json");
        File.WriteAllText(sidecar, File.ReadAllText(sidecar).Replace(parent.StoredChecksum!, Hash(image), StringComparison.Ordinal));

        var outcome = scene.Verify(backup);

        Assert.Equal(BackupErrorId.BackupChecksumMismatch, outcome.Fault?.ErrorId);
        Assert.Equal("PagesChecksum", Assert.Single(outcome.Backup.Verification, check => !check.Passed).Check);
        Scene.Fails(BackupErrorId.BackupChecksumMismatch, BackupErrorCategory.InvalidData, () => scene.RestoreTo(scene["new.db"], backup));
    }

    private BackupMetadata CreateTail(BackupMetadata parent, CreateBackupOptions? options = null)
    {
        var backup = scene.Create(options ?? Tail);
        Assert.Equal(
            (BackupType.Wal, parent.Id, "log", null),
            (backup.Type, backup.ParentId, backup.Metadata["snapshot_method"], backup.Metadata.GetValueOrDefault("wal_fallback")));
        return backup;
    }

    private BackupMetadata CreateByComparison(BackupMetadata parent, string reason)
    {
        var backup = scene.Create(Tail);
        Assert.Equal((BackupType.Incremental, parent.Id), (backup.Type, backup.ParentId));
        Assert.Contains(reason, (string)backup.Metadata["wal_fallback"]!, StringComparison.Ordinal);
        Assert.Contains(scene.Events.OfType<OperationMessage>(), message => !message.IsWarning && message.Text.Contains(reason, StringComparison.Ordinal));
        Assert.Equal(Hash(TrueImage.Of(scene.Database)), backup.Checksum);
        AssertRestores(backup);
        return backup;
    }

    /// <summary>Restores the present state, or the given one.</summary>
    private void AssertRestores(BackupMetadata backup, byte[]? truth = null)
    {
        Assert.Equal(Hash(truth ?? TrueImage.Of(scene.Database)), Hash(scene.Restored(backup)));
        Assert.Null(scene.Verify(backup).Fault);
    }

    private static string Hash(byte[] image) => Convert.ToHexStringLower(SHA256.HashData(image));
}
