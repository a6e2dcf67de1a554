using CsCheck;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Verify;
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
            $"all others are those of '{parent.Id}', which passed a full test on 2026-11-22 02:00:01Z",
            Detail(backup, "ImageChecksum"),
            StringComparison.Ordinal);
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
    [InlineData("wanted thoroughly")]
    [InlineData("writers would wait")]
    public void Otherwise_the_chain_is_unpacked(string why)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = why == "writers would wait" ? JournalMode.Delete : JournalMode.Wal });
        var parent = scene.Create(new CreateBackupOptions { Verify = why is not ("not verified" or "tested quickly") });
        if (why == "tested quickly")
        {
            Assert.Null(scene.Verify(parent, VerificationLevel.Quick).Fault);
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
        Databases.Create(scene.Database);
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
            Databases.Execute(user, "UPDATE attachment SET content = randomblob(9000)");
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

    [Theory]
    [InlineData("nothing", null)]
    [InlineData("a page that is stored is another one in the copy", "page {0} of the increment differs from the database that was read")]
    [InlineData("a page that changed is not stored", "the increment has {1} pages, but {2} changed")]
    [InlineData("a page is stored that did not change", "page {0} of the increment differs from the database that was read")]
    [InlineData("the database in the copy is damaged", "")]
    public void Each_part_of_the_proof_is_looked_at(string wrong, string? expected)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        scene.Create();
        Change();
        var backup = scene.Create(Increment);
        using var chain = OpenChain.Open(backup, scene.Directory, IdentityRing.Empty);
        var increment = OpenChain.Of(backup, chain.Links[^1].File, IdentityRing.Empty);
        var stored = new PageSet(backup.PageCount!.Value);
        _ = ChainReader.ReadIncrement(backup, chain.Links[^1].File, IdentityRing.Empty, (page, _) => stored.Add(page), meter: null, CancellationToken.None);
        var (some, other) = (stored.Pages().Last(), Enumerable.Range(1, (int)backup.PageCount.Value).First(page => !stored.Contains(page)));
        var changed = new PageSet(backup.PageCount.Value);
        var image = File.ReadAllBytes(scene.Database);
        foreach (var page in stored.Pages().Where(page => wrong != "a page is stored that did not change" || page != some))
        {
            changed.Add(page);
        }

        switch (wrong)
        {
            case "a page that is stored is another one in the copy":
                image[(some * 4096) - 1] ^= 1;
                break;
            case "a page that changed is not stored":
                changed.Add(other);
                break;
            case "the database in the copy is damaged":
                image.AsSpan((int)(other - 1) * 4096, 4096).Fill(0xff);
                break;
        }

        using var copy = SnapshotCopy.Create(scene.Directory.Layout.TemporaryParent, 4096, image.Length);
        copy.Write(image, 0);
        var verifier = new ImageVerifier(scene.Directory.Layout.TemporaryParent, scene.Context());

        var failed = new IncrementVerifier(copy, changed, verifier).Verify(chain, increment, new ImageContent(null, backup.RowCounts), "Verifying")
            .FirstOrDefault(check => !check.Passed);

        Assert.Equal(expected is null, failed is null);
        if (!string.IsNullOrEmpty(expected))
        {
            Assert.Equal(("ImageChecksum", string.Format(null, expected, some, stored.Count, changed.Count)), (failed!.Check, failed.Detail));
        }
        else if (expected is not null)
        {
            Assert.Equal("Integrity", failed!.Check);
        }
    }

    [Fact]
    public void What_a_verified_increment_says_of_itself_a_full_test_says_too()
    {
        Gen.Select(Gen.OneOf(Gen.Const(512), Gen.Const(4096), Gen.Const(65536)), Gen.Bool, Gen.Int[0, 9].Array[1, 5]).Sample(
            (pageSize, isWal, kinds) =>
            {
                using var own = new Scene();
                var journal = isWal ? JournalMode.Wal : JournalMode.Delete;
                Databases.Create(own.Database, new DatabaseShape { PageSize = pageSize, JournalMode = journal, Rows = 200 });
                own.Create();
                foreach (var kind in kinds)
                {
                    using (var user = Databases.Open(own.Database))
                    {
                        Databases.Execute(user, kind switch
                        {
                            0 => "DELETE FROM attachment WHERE id % 3 = 0",
                            1 => "INSERT INTO attachment(content) SELECT randomblob(3000) FROM attachment LIMIT 20",
                            2 => "UPDATE customer SET name = name || 'x' WHERE id % 17 = 0",
                            3 => "VACUUM",
                            4 => "DELETE FROM attachment WHERE id > 100; VACUUM",
                            5 => "CREATE TABLE IF NOT EXISTS more(a TEXT UNIQUE, b); INSERT OR IGNORE INTO more VALUES (hex(randomblob(9)), 1)",
                            6 => "DROP INDEX IF EXISTS again; CREATE INDEX again ON customer(domain, name DESC)",
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

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Directory.Exists(scene.Directory.Layout.TemporaryParent) ? Directory.GetFileSystemEntries(scene.Directory.Layout.TemporaryParent) : []);
        Assert.DoesNotContain(Directory.GetFiles(scene.Directory.Path), file => file.Contains("partial", StringComparison.Ordinal));
    }
}
