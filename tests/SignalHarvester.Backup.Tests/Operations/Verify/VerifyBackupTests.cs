using System.IO.Hashing;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Verify;

/// <summary>Every kind of damage is found, named by its check and its error id, and recorded.</summary>
public sealed class VerifyBackupTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void A_sound_backup_passes_every_check_and_that_is_recorded(CompressionType compression)
    {
        var backup = Make(new CreateBackupOptions { Compression = compression, Verify = false });
        Assert.False(backup.Verified);
        Assert.Equal(VerificationLevel.None, scene.Directory.Get(backup.Id).VerificationLevel);

        Assert.Equal(["StoredSize", "StoredChecksum"], Passed(backup, VerificationLevel.Quick));
        Assert.Equal(VerificationLevel.Quick, scene.Directory.Get(backup.Id).VerificationLevel);

        Assert.Equal(
            ["StoredSize", "StoredChecksum", "Decompression", "ImageChecksum", "Integrity", "Schema", "RowCounts"], Passed(backup, VerificationLevel.Full));
        var recorded = scene.Directory.Get(backup.Id);
        Assert.True(recorded.Verified);
        Assert.Equal(VerificationLevel.Full, recorded.VerificationLevel);
        Assert.Equal(scene.Clock.GetUtcNow(), recorded.VerificationTimestamp);

        Passed(backup, VerificationLevel.Quick);
        Assert.Equal(VerificationLevel.Full, scene.Directory.Get(backup.Id).VerificationLevel);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_full_backup_is_read_back_against_what_was_written(int difference, bool isSame)
    {
        Databases.Create(scene.Database);
        var backup = scene.Create(new CreateBackupOptions { Compression = CompressionType.None });
        Assert.Equal(
            $"{ImageHash.Of(scene.Database)}: what was read back is, by its XXH128, the content that has this SHA-256",
            backup.Verification.Single(check => check.Check == "ImageChecksum").Detail);

        using var file = File.OpenHandle(backup.BackupPath);
        var sum = new ContentSum(7, XxHash128.HashToUInt128(File.ReadAllBytes(backup.BackupPath), 7) + (uint)difference);
        var checks = new ImageVerifier(scene.Directory.Layout.TemporaryParent, scene.Context())
            .Unpack(OpenChain.Of(backup, file, IdentityRing.Empty, sum), target: null, folder: null, "Verifying");

        Assert.Equal(isSame, checks.Single(check => check.Check == "ImageChecksum").Passed);
    }

    [Fact]
    public void A_missing_file_is_found()
    {
        var backup = Make();
        File.Delete(backup.BackupPath);

        AssertFails(backup, "File", BackupErrorId.BackupFileMissing, BackupErrorCategory.ObjectNotFound, quickToo: true);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void Another_size_is_found(int difference)
    {
        var backup = Make();
        using (var file = File.OpenWrite(backup.BackupPath))
        {
            file.SetLength(file.Length + difference);
        }

        AssertFails(backup, "StoredSize", BackupErrorId.BackupSizeMismatch, BackupErrorCategory.InvalidData, quickToo: true);
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void A_flipped_bit_is_found(CompressionType compression)
    {
        var backup = Make(new CreateBackupOptions { Compression = compression });
        Change(backup.BackupPath, content => content[content.Length / 2] ^= 4);

        var quick = scene.Verify(backup, VerificationLevel.Quick);
        Assert.Equal(BackupErrorId.BackupChecksumMismatch, quick.Fault?.ErrorId);
        Assert.Equal("StoredChecksum", Assert.Single(quick.Backup.Verification, check => !check.Passed).Check);

        var full = scene.Verify(backup);
        Assert.Contains(full.Fault?.ErrorId, (string[])[BackupErrorId.BackupChecksumMismatch, BackupErrorId.BackupCorrupt]);
        AssertRecorded(backup, full);
    }

    [Fact]
    public void The_file_of_another_backup_is_found()
    {
        var first = Make(new CreateBackupOptions { Compression = CompressionType.None });
        using (var user = Databases.Open(scene.Database))
        {
            Databases.Execute(user, "UPDATE customer SET domain = 'example.com' WHERE id = 1");
        }

        var second = scene.Create(new CreateBackupOptions { Compression = CompressionType.None });
        Assert.Equal(first.Size, second.Size);
        File.Copy(first.BackupPath, second.BackupPath, overwrite: true);

        AssertFails(second, "StoredChecksum", BackupErrorId.BackupChecksumMismatch, BackupErrorCategory.InvalidData, quickToo: true);
    }

    [Theory]
    [InlineData("stored_checksum", "StoredChecksum", true)]
    [InlineData("checksum", "ImageChecksum", false)]
    public void A_wrong_recorded_checksum_is_found(string field, string check, bool quickToo)
    {
        var backup = Make();
        Record(backup, root => root[field] = new string('0', 64));

        AssertFails(scene.Directory.Get(backup.Id), check, BackupErrorId.BackupChecksumMismatch, BackupErrorCategory.InvalidData, quickToo);
    }

    [Fact]
    public void An_image_larger_than_recorded_is_not_unpacked_to_its_end()
    {
        var backup = Make();
        Record(backup, root => (root["database_size"], root["page_count"]) = (4096, 1));

        AssertFails(scene.Directory.Get(backup.Id), "Decompression", BackupErrorId.BackupCorrupt, BackupErrorCategory.InvalidData, quickToo: false);
    }

    [Fact]
    public void What_is_no_database_is_found_even_under_right_checksums()
    {
        var backup = Make(new CreateBackupOptions { Compression = CompressionType.None });

        Replace(backup, content => new Random(1).NextBytes(content));

        AssertFails(scene.Directory.Get(backup.Id), "Integrity", BackupErrorId.BackupIntegrityFailed, BackupErrorCategory.InvalidData, quickToo: false);
    }

    [Fact]
    public void A_damaged_page_is_found_even_under_right_checksums()
    {
        var backup = Make(new CreateBackupOptions { Compression = CompressionType.None });

        Replace(backup, content => content.AsSpan(4096 * 5, 4096).Fill(0xA5));

        AssertFails(scene.Directory.Get(backup.Id), "Integrity", BackupErrorId.BackupIntegrityFailed, BackupErrorCategory.InvalidData, quickToo: false);
    }

    [Theory]
    [InlineData("DROP TABLE audit", "Schema")]
    [InlineData("DROP INDEX customer_long_name", "Schema")]
    [InlineData("CREATE TABLE extra(x)", "Schema")]
    [InlineData("DELETE FROM reading WHERE at = 60", "RowCounts")]
    [InlineData("INSERT INTO audit(what) VALUES ('one more')", "RowCounts")]
    public void Other_content_is_found_even_under_right_checksums(string sql, string check)
    {
        var backup = Make(new CreateBackupOptions { Compression = CompressionType.None });
        using (var image = Databases.Open(backup.BackupPath))
        {
            Databases.Execute(image, "PRAGMA journal_mode = DELETE");
            Databases.Execute(image, sql);
        }

        Replace(backup, _ => { });

        AssertFails(scene.Directory.Get(backup.Id), check, BackupErrorId.BackupContentMismatch, BackupErrorCategory.InvalidData, quickToo: false);
    }

    [Fact]
    public void A_mended_backup_is_verified_again()
    {
        var backup = Make();
        var good = File.ReadAllBytes(backup.BackupPath);
        Change(backup.BackupPath, content => content[^1] ^= 1);
        Assert.NotNull(scene.Verify(backup).Fault);

        File.WriteAllBytes(backup.BackupPath, good);

        Assert.Null(scene.Verify(backup).Fault);
        Assert.True(scene.Directory.Get(backup.Id).Verified);
    }

    [Fact]
    public void Verifying_leaves_no_plain_content_behind()
    {
        var backup = Make();
        scene.Verify(backup);

        Assert.Empty(Directory.EnumerateFileSystemEntries(scene.Stored(".shbackup/tmp")));
    }

    [Fact]
    public void A_cancelled_verification_records_nothing()
    {
        var backup = Make(new CreateBackupOptions { Verify = false });
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(
            () => VerifyBackup.Run(BackupSource.In(scene.Directory, backup), VerificationLevel.Full, scene.ContextUntil(stop.Token)));

        Assert.Null(scene.Directory.Get(backup.Id).VerificationTimestamp);
        Assert.Empty(Directory.EnumerateFileSystemEntries(scene.Stored(".shbackup/tmp")));
    }

    private BackupMetadata Make(CreateBackupOptions? options = null)
    {
        // In rollback-journal mode SQLite can open the image where it is, even among the backups.
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        var backup = scene.Create(options);
        if (options is { Verify: false })
        {
            Record(backup, root =>
            {
                root.Remove("row_counts");
                root.Remove("schema_checksum");
            });
        }

        scene.Clock.Advance(TimeSpan.FromMinutes(1));
        return scene.Directory.Get(backup.Id);
    }

    private string[] Passed(BackupMetadata backup, VerificationLevel level)
    {
        var outcome = scene.Verify(backup, level);
        Assert.Null(outcome.Fault);
        Assert.All(outcome.Backup.Verification, check => Assert.True(check.Passed));
        return [.. outcome.Backup.Verification.Select(check => check.Check)];
    }

    private void AssertFails(BackupMetadata backup, string check, string errorId, BackupErrorCategory category, bool quickToo)
    {
        var quick = scene.Verify(backup, VerificationLevel.Quick);
        Assert.Equal(quickToo, quick.Fault is not null);
        var outcome = scene.Verify(backup);
        Assert.Equal(check, outcome.Backup.Verification.First(made => !made.Passed).Check);
        Assert.Equal(errorId, outcome.Fault?.ErrorId);
        Assert.Equal(category, outcome.Fault!.Category);
        Assert.Contains(backup.Id, outcome.Fault.Message, StringComparison.Ordinal);
        Assert.Contains("Get-SHBackup", outcome.Fault.Message, StringComparison.Ordinal);
        AssertRecorded(backup, outcome);
        if (quickToo)
        {
            Assert.Equal(errorId, quick.Fault!.ErrorId);
        }
    }

    private void AssertRecorded(BackupMetadata backup, VerificationOutcome outcome)
    {
        var recorded = scene.Directory.Get(backup.Id);
        Assert.False(recorded.Verified);
        Assert.Equal(VerificationLevel.None, recorded.VerificationLevel);
        Assert.Equal(scene.Clock.GetUtcNow(), recorded.VerificationTimestamp);
        Assert.Equal(outcome.Backup.Verification, recorded.Verification);
        Assert.Equal(backup.Checksum, recorded.Checksum);
    }

    private static void Change(string path, Action<byte[]> change)
    {
        var content = File.ReadAllBytes(path);
        change(content);
        File.WriteAllBytes(path, content);
    }

    private void Record(BackupMetadata backup, Action<JsonObject> change)
    {
        var path = scene.Stored(backup.Id + ".json");
        var root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(root);
        File.WriteAllText(path, root.ToJsonString());
    }

    /// <summary>Changes the stored image and all records of its bytes, as a forger or a faulty tool would.</summary>
    private void Replace(BackupMetadata backup, Action<byte[]> change)
    {
        Change(backup.BackupPath, change);
        Record(backup, root =>
        {
            root["checksum"] = Scene.Digest(backup.BackupPath);
            root["stored_checksum"] = Scene.Digest(backup.BackupPath);
            root["size_bytes"] = new FileInfo(backup.BackupPath).Length;
            root["database_size"] = new FileInfo(backup.BackupPath).Length;
            root["page_count"] = null;
        });
    }
}
