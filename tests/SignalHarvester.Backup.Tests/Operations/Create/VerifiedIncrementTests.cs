using System.Text.Json.Nodes;
using CsCheck;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Create;

/// <summary>
/// An increment on a parent that passed a full test is verified by that parent's unchanged bytes and a copy of the snapshot. What it
/// says is what a full test, which unpacks the chain, says of it afterwards.
/// </summary>
public sealed class VerifiedIncrementTests : IDisposable
{
    private static readonly CreateBackupOptions Increment = new() { Strategy = BackupStrategy.Incremental };

    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void A_parent_that_passed_a_full_test_is_not_unpacked_again()
    {
        Databases.Create(scene.Database);
        var parent = scene.Create();
        Change();

        var backup = scene.Create(Increment);

        Assert.Equal((true, VerificationLevel.Full, parent.Id), (backup.Verified, backup.VerificationLevel, backup.ParentId));
        Assert.Contains(
            $"all others are those of '{parent.Id}', which passed a full test on 2026-11-22 02:00:01Z", Detail(backup, "ImageChecksum"), StringComparison.Ordinal);
        Assert.Contains("match their records", Detail(backup, "Chain"), StringComparison.Ordinal);
        Assert.Equal(
            ["StoredSize", "StoredChecksum", "Decompression", "WalChecksum", "Chain", "ImageChecksum", "Integrity", "Schema", "RowCounts"],
            backup.Verification.Select(check => check.Check));
        Assert.Equal(ImageHash.Of(scene.Database), backup.Checksum);
        AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("not verified")]
    [InlineData("tested quickly")]
    [InlineData("without its own checksum")]
    [InlineData("wanted thoroughly")]
    public void Otherwise_the_chain_is_unpacked(string why)
    {
        Databases.Create(scene.Database);
        var parent = scene.Create(new CreateBackupOptions { Verify = why is not ("not verified" or "tested quickly") });
        if (why == "tested quickly")
        {
            Assert.Null(scene.Verify(parent, VerificationLevel.Quick).Fault);
        }
        else if (why == "without its own checksum")
        {
            Edit(parent, sidecar => sidecar["stored_checksum"] = null);
        }

        Change();

        var backup = scene.Create(Increment, context: Context(isThorough: why == "wanted thoroughly"));

        Assert.Equal((true, VerificationLevel.Full, parent.Id), (backup.Verified, backup.VerificationLevel, backup.ParentId));
        Assert.Equal(backup.Checksum ?? ImageHash.Of(scene.Database), Detail(backup, "ImageChecksum"));
        AssertNothingIsLeft();
    }

    [Fact]
    public void An_increment_that_is_not_verified_has_no_checksum_of_its_image_until_a_full_test_finds_it()
    {
        Databases.Create(scene.Database);
        scene.Create();
        Change();

        var backup = scene.Create(Increment with { Verify = false });

        Assert.Null(backup.Checksum);
        Assert.NotNull(backup.PagesChecksum);
        Assert.Equal(ImageHash.Of(scene.Database), Scene.Digest(Restored(backup)));
        Assert.Null(scene.Verify(backup).Fault);
        Assert.Equal(ImageHash.Of(scene.Database), scene.Directory.Get(backup.Id).Checksum);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_database_that_is_damaged_is_told_of_and_no_increment_is_made_of_it_without_force(bool force)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        var parent = scene.Create();
        using (var file = File.OpenWrite(scene.Database))
        {
            file.Position = file.Length / 8192 * 4096;
            file.Write(Enumerable.Repeat((byte)0xff, 4096).ToArray());
        }

        if (!force)
        {
            Scene.Fails(BackupErrorId.SourceCorrupt, BackupErrorCategory.InvalidData, () => scene.Create(Increment));
            Assert.Single(scene.Directory.List().Backups);
        }
        else
        {
            var backup = scene.Create(Increment with { TolerateDamage = true });
            Assert.Equal((parent.Id, true, false), (backup.ParentId, backup.IsSourceCorrupt, backup.Verified));
        }

        AssertNothingIsLeft();
    }

    [Fact]
    public void A_database_of_which_most_pages_changed_becomes_a_full_backup_and_leaves_no_copy()
    {
        Databases.Create(scene.Database);
        scene.Create();
        using (var user = Databases.Open(scene.Database))
        {
            Databases.Execute(user, "PRAGMA secure_delete = ON; UPDATE signals SET payload = hex(randomblob(40))");
        }

        var backup = scene.Create(Increment);

        Assert.Equal((BackupType.Full, true), (backup.Type, backup.Verified));
        AssertNothingIsLeft();
    }

    [Fact]
    public void A_stop_at_any_moment_leaves_no_copy()
    {
        Databases.Create(scene.Database);
        var parent = scene.Create();
        Change();
        for (var stopAt = 1; ; stopAt++)
        {
            using var stopping = new CancellationTokenSource();
            var reports = 0;
            var context = scene.ContextUntil(stopping.Token, _ =>
            {
                if (++reports == stopAt)
                {
                    stopping.Cancel();
                }
            });
            try
            {
                var backup = scene.Create(Increment, context: context);
                Assert.Equal(parent.Id, backup.ParentId);
                Assert.True(reports < stopAt || backup.Verified);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.Single(scene.Directory.List().Backups);
                AssertNothingIsLeft();
            }
        }
    }

    [Fact]
    public void What_a_verified_increment_says_of_itself_a_full_test_says_too()
    {
        Gen.Select(Gen.OneOf(Gen.Const(512), Gen.Const(4096), Gen.Const(65536)), Gen.Bool, Gen.Int[0, 9].Array[1, 5]).Sample(
            (pageSize, isWal, kinds) =>
            {
                using var own = new Scene();
                Databases.Create(own.Database, new DatabaseShape { PageSize = pageSize, JournalMode = isWal ? JournalMode.Wal : JournalMode.Delete, Rows = 200 });
                own.Create();
                foreach (var kind in kinds)
                {
                    using (var user = Databases.Open(own.Database))
                    {
                        Databases.Execute(user, kind switch
                        {
                            0 => "DELETE FROM signals WHERE id % 3 = 0",
                            1 => "INSERT INTO signals(source, payload) SELECT 'x', hex(randomblob(2000)) FROM signals LIMIT 20",
                            2 => "UPDATE signals SET payload = payload || 'x' WHERE id % 17 = 0",
                            3 => "VACUUM",
                            4 => "DELETE FROM signals WHERE id > 100; VACUUM",
                            5 => "CREATE TABLE IF NOT EXISTS more(a TEXT UNIQUE, b); INSERT OR IGNORE INTO more VALUES (hex(randomblob(9)), 1)",
                            6 => "DROP INDEX IF EXISTS again; CREATE INDEX again ON signals(payload, source DESC)",
                            7 => "PRAGMA user_version = 5",
                            8 => "DROP TABLE IF EXISTS more",
                            _ => "SELECT 1",
                        });
                    }

                    var backup = own.Create(Increment);
                    var tested = own.Verify(backup);

                    Assert.Null(tested.Fault);
                    Assert.Equal(ImageHash.Of(own.Database), backup.Checksum);
                    Assert.Equal(backup.Checksum, tested.Backup.Verification.Single(check => check.Check == "ImageChecksum").Detail);
                    Assert.Equal(backup.RowCounts, tested.Backup.RowCounts);
                }
            },
            iter: Iterations.Of(20),
            threads: 1);
    }

    private static string Detail(BackupMetadata backup, string check) => backup.Verification.Single(found => found.Check == check).Detail;

    private OperationContext Context(bool isThorough) => new(scene.Clock, _ => { }, CancellationToken.None) { IsThorough = isThorough };

    private void Change()
    {
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('changed')");
    }

    private string Restored(BackupMetadata backup)
    {
        scene.RestoreTo(scene["restored.db"], backup);
        return scene["restored.db"];
    }

    private void Edit(BackupMetadata backup, Action<JsonObject> edit)
    {
        var path = scene.Stored(backup.Id + ".json");
        var sidecar = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        edit(sidecar);
        File.WriteAllText(path, sidecar.ToJsonString());
    }

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Directory.Exists(scene.Directory.Layout.TemporaryParent) ? Directory.GetFileSystemEntries(scene.Directory.Layout.TemporaryParent) : []);
        Assert.DoesNotContain(Directory.GetFiles(scene.Directory.Path), file => file.Contains("partial", StringComparison.Ordinal));
    }
}
