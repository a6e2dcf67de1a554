using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CsCheck;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Chains;

/// <summary>
/// Whatever is wrong with a chain: nothing builds on it, nothing wrong is restored from it, the error names the link, and backups
/// that do not need that link are as good as before.
/// </summary>
public sealed class BrokenChainTests : IDisposable
{
    private static readonly CreateBackupOptions Increment = new() { Strategy = BackupStrategy.Incremental };
    private static readonly string[] DamageIds =
        [BackupErrorId.BackupCorrupt, BackupErrorId.BackupChecksumMismatch, BackupErrorId.BackupSizeMismatch, BackupErrorId.ChainBroken];

    private readonly Scene scene = new();
    private readonly Dictionary<string, string> truths = [];

    public static TheoryData<BackupStrategy> Increments => [BackupStrategy.Incremental, BackupStrategy.Wal, BackupStrategy.Auto];

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(Increments))]
    public void A_backup_of_another_database_is_refused_as_a_parent(BackupStrategy strategy)
    {
        var other = scene.Create(path: Databases.Create(scene["other.db"]));
        Databases.Create(scene.Database);

        AssertUnusable(other, scene["other.db"], strategy);

        // Unless it is named, it is no parent either.
        var first = scene.Create(Increment);
        Assert.Equal(BackupType.Full, first.Type);
        Assert.Contains("no backup of this database", (string)first.Metadata["full_reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_safety_backup_one_of_a_damaged_source_and_one_of_the_predecessor_are_refused_as_parents()
    {
        var safety = Chain(1)[0];
        EditSidecar(safety, sidecar => sidecar["safety"] = true);
        var damaged = Make();
        EditSidecar(damaged, sidecar => sidecar["source_corrupt"] = true);
        var predecessor = Make();
        EditSidecar(predecessor, sidecar => sidecar.Remove("format_version"));

        AssertUnusable(safety, "safety backup");
        AssertUnusable(damaged, "damaged database");
        AssertUnusable(predecessor, "Python tool");
    }

    [Fact]
    public void A_parent_that_does_not_exist_is_an_error() => Scene.Fails(
        BackupErrorId.BackupNotFound,
        BackupErrorCategory.ObjectNotFound,
        () =>
        {
            Chain(1);
            scene.Create(Increment with { ParentId = "backup_20200101_000000_000000" });
        });

    [Theory]
    [MemberData(nameof(Increments))]
    public void A_parent_that_failed_its_verification_is_not_built_on(BackupStrategy strategy)
    {
        var chain = Chain(3);
        FlipBit(chain[2].BackupPath, 0.5);
        Assert.NotNull(scene.Verify(chain[2]).Fault);

        AssertUnusable(chain[2], "failed its verification", strategy);
        AssertFull(Make(new CreateBackupOptions { Strategy = strategy }), "failed its verification");
        AssertGood(chain[..2]);
    }

    [Theory]
    [InlineData(0, JournalMode.Delete)]
    [InlineData(0, JournalMode.Wal)]
    [InlineData(1, JournalMode.Delete)]
    [InlineData(1, JournalMode.Wal)]
    [InlineData(2, JournalMode.Delete)]
    [InlineData(2, JournalMode.Wal)]
    public void A_parent_that_is_found_to_be_damaged_only_now_is_not_built_on(int link, JournalMode journal)
    {
        var chain = Chain(3, journal: journal);
        FlipBit(chain[link].BackupPath, 0.5);

        // The digests are there and right: the damage shows when the finished increment is checked on its parent.
        var backup = Make(Increment);

        AssertFull(backup, chain[link].Id);
        Assert.Contains(
            scene.Warnings,
            warning => warning.Contains(chain[link].Id, StringComparison.Ordinal) && warning.StartsWith("A full backup", StringComparison.Ordinal));
        AssertGood([.. chain[..link], backup]);
    }

    [Theory]
    [InlineData(BackupStrategy.Incremental, 0)]
    [InlineData(BackupStrategy.Incremental, 2)]
    [InlineData(BackupStrategy.Wal, 1)]
    public void A_damaged_parent_gives_no_page_digests(BackupStrategy strategy, int link)
    {
        var chain = Chain(3);
        FlipBit(chain[link].BackupPath, 0.5);
        Directory.Delete(scene.Directory.Layout.StateFolder, recursive: true);

        var backup = Make(new CreateBackupOptions { Strategy = strategy, Verify = false });

        AssertFull(backup, chain[link].Id);
        AssertGood([.. chain[..link], backup]);
    }

    [Fact]
    public void A_named_parent_that_is_found_to_be_damaged_makes_a_full_backup_too()
    {
        var chain = Chain(2);
        FlipBit(chain[0].BackupPath, 0.5);

        AssertFull(Make(Increment with { ParentId = chain[0].Id }), chain[0].Id);
    }

    [Fact]
    public void A_wal_backup_does_not_read_its_parent_and_the_next_full_test_finds_what_is_wrong_with_that()
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        FlipBit(parent.BackupPath, 0.5);

        var backup = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Wal });

        Assert.Equal(BackupType.Wal, backup.Type);
        var fault = scene.Verify(backup).Fault!;
        Assert.Equal(BackupErrorId.ChainBroken, fault.ErrorId);
        Assert.Contains(parent.Id, fault.Message, StringComparison.Ordinal);
        var next = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Wal });
        Assert.Equal(BackupType.Full, next.Type);
        Assert.Null(scene.Verify(next).Fault);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_link_that_is_gone_is_named_and_brought_back_mends_the_chain(int link)
    {
        var chain = Chain(4);
        var aside = scene.Files.Folder("aside");
        foreach (var file in (string[])[chain[link].BackupPath, SidecarOf(chain[link])])
        {
            File.Move(file, Path.Combine(aside, Path.GetFileName(file)));
        }

        AssertUnusable(chain[3], chain[link].Id);
        var next = Make(Increment);
        AssertFull(next, chain[link].Id);
        var listed = scene.Directory.List().Backups;
        Assert.Equal(chain.Length, listed.Count);
        foreach (var broken in chain[(link + 1)..])
        {
            Assert.Null(listed.Single(backup => backup.Id == broken.Id).ChainLength);
            AssertBroken(broken, BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, chain[link].Id);
        }

        AssertGood(chain[..link]);
        foreach (var file in Directory.GetFiles(aside))
        {
            File.Move(file, Path.Combine(scene.Directory.Path, Path.GetFileName(file)));
        }

        AssertGood([.. chain, next]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_link_whose_file_is_gone_is_named_and_brought_back_mends_the_chain(int link)
    {
        var chain = Chain(3);
        File.Move(chain[link].BackupPath, scene["aside"]);

        Scene.Fails(BackupErrorId.BackupFileMissing, BackupErrorCategory.ObjectNotFound, () => scene.RestoreTo(scene["new.db"], chain[2]));
        var fault = scene.Verify(chain[2]).Fault!;
        Assert.Equal(BackupErrorId.ChainBroken, fault.ErrorId);
        Assert.Contains(chain[link].Id, fault.Message, StringComparison.Ordinal);
        AssertGood(chain[..link]);
        var next = Make(Increment);
        Assert.Equal(BackupType.Full, next.Type);

        File.Move(scene["aside"], chain[link].BackupPath);
        AssertGood([.. chain, next]);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, -1)]
    [InlineData(1, 0)]
    [InlineData(2, -1)]
    public void A_link_that_was_cut_is_named(int link, int bytesLeft)
    {
        var chain = Chain(3);
        using (var file = File.OpenWrite(chain[link].BackupPath))
        {
            file.SetLength(bytesLeft < 0 ? file.Length + bytesLeft : bytesLeft);
        }

        foreach (var broken in chain[(link + 1)..])
        {
            AssertBroken(broken, BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, chain[link].Id);
        }

        AssertBroken(chain[link], BackupErrorId.BackupSizeMismatch, BackupErrorCategory.InvalidData, chain[link].Id);
        AssertGood(chain[..link]);
        var next = Make(Increment);
        Assert.Equal(BackupType.Full, next.Type);
        AssertGood([next]);
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Zstd)]
    public void A_flipped_bit_in_any_link_is_found(CompressionType compression)
    {
        var chain = Chain(4, compression);
        Gen.Select(Gen.Int[0, 3], Gen.Double[0, 1], Gen.Int[0, 7]).Sample(
            (link, place, bit) =>
            {
                var good = File.ReadAllBytes(chain[link].BackupPath);
                FlipBit(chain[link].BackupPath, place, bit);
                var last = chain[3];

                var restoring = Assert.Throws<BackupException>(() => scene.RestoreTo(scene["new.db"], last));
                Assert.Contains(restoring.ErrorId, DamageIds);
                Assert.Contains(chain[link].Id, restoring.Message, StringComparison.Ordinal);
                Assert.False(File.Exists(scene["new.db"]));
                foreach (var level in (VerificationLevel[])[VerificationLevel.Quick, VerificationLevel.Full])
                {
                    Assert.Contains(scene.Verify(last, level).Fault!.ErrorId, DamageIds);
                    Assert.False(scene.Directory.Get(last.Id).Verified);
                }

                File.WriteAllBytes(chain[link].BackupPath, good);
            },
            iter: Iterations.Of(25),
            threads: 1);
        AssertGood(chain);
    }

    [Fact]
    public void A_changed_sidecar_never_makes_another_image()
    {
        var chain = Chain(4);
        var values = Gen.Frequency(
            (4, Gen.OneOf(
                Gen.Int[-2, 70000].Select(number => number.ToString(CultureInfo.InvariantCulture)),
                Gen.Long.Select(number => number.ToString(CultureInfo.InvariantCulture)),
                Gen.Double.Select(number => number.ToString(CultureInfo.InvariantCulture)))),
            (3, Gen.Int[0, 3].Select(index => $"\"{chain[index].Id}\"")),
            (3, Gen.Int[0, 3].Select(index => $"\"{chain[index].StoredChecksum}\"")),
            (2, Gen.Int[0, 3].Select(index => $"\"{chain[index].Checksum}\"")),
            (2, Gen.Int[0, 3].Select(index => $"\"{Path.GetFileName(chain[index].BackupPath)}\"")),
            (1, Gen.OneOf(
                Gen.Const("null"), Gen.Const("true"), Gen.Const("{}"), Gen.Const("[]"), Gen.Const("\"\""), Gen.Const("\"full\""), Gen.Const("\"wal\""))));
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 99], values).Sample(
            (link, field, value) =>
            {
                var good = File.ReadAllBytes(SidecarOf(chain[link]));
                var sidecar = JsonNode.Parse(good)!.AsObject();
                var name = sidecar.ElementAt(field % sidecar.Count).Key;
                EditSidecar(chain[link], edited => edited[name] = JsonNode.Parse(value));

                _ = scene.Directory.List();
                foreach (var backup in chain)
                {
                    try
                    {
                        var now = scene.Directory.Get(backup.Id);
                        scene.RestoreTo(scene["new.db"], now);
                        Assert.True(
                            truths[backup.Id] == Scene.Digest(scene["new.db"]), $"{name} = {value} of link {link}: {backup.Id} is restored to another image");
                        _ = scene.Verify(now);
                    }
                    catch (BackupException)
                    {
                        Assert.False(File.Exists(scene["new.db"]));
                    }

                    File.Delete(scene["new.db"]);
                }

                File.WriteAllBytes(SidecarOf(chain[link]), good);
            },
            iter: Iterations.Of(60),
            threads: 1,
            print: sample => $"{sample.Item3} in field {sample.Item2} of link {sample.Item1}");
    }

    [Theory]
    [InlineData("page_count", 1)]
    [InlineData("page_count", 0)]
    [InlineData("page_size", 1)]
    [InlineData("page_size", 0)]
    public void A_link_that_does_not_record_its_pages_is_an_error_of_the_chain(string field, int link)
    {
        var chain = Chain(2);
        EditSidecar(chain[link], sidecar => sidecar[field] = null);
        Scene.Fails(BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, () => scene.RestoreTo(scene["new.db"], scene.Directory.Get(chain[1].Id)));
        Assert.Equal(BackupErrorId.ChainBroken, scene.Verify(scene.Directory.Get(chain[1].Id)).Fault!.ErrorId);
    }

    [Fact]
    public void Links_in_a_circle_are_an_error_and_can_be_removed()
    {
        var chain = Chain(4);
        EditSidecar(chain[1], sidecar => sidecar["parent_id"] = chain[2].Id);

        Assert.Equal([0, null, null, null], scene.Directory.List().Backups.Reverse().Select(backup => backup.Depth));
        AssertUnusable(chain[3], "builds on it");
        var next = Make(Increment);
        AssertFull(next, "builds on it");
        foreach (var broken in chain[1..])
        {
            AssertBroken(broken, BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, chain[1].Id);
        }

        AssertGood(chain[..1]);

        // One of them alone cannot be folded; together with all that need them they can be removed.
        (var removed, var faults) = scene.Remove(chain[2]);
        Assert.Empty(removed);
        Assert.Equal((BackupErrorId.BackupHasDependants, chain[2].Id), (Assert.Single(faults).ErrorId, faults[0].Target));
        Assert.Equal(
            chain[1..].Select(backup => backup.Id).Order(), scene.Directory.Dependants(chain[2].Id).Append(chain[2]).Select(backup => backup.Id).Order());
        Assert.Empty(scene.Remove(chain[1..]).Faults);
        AssertGood([chain[0], next]);
    }

    [Fact]
    public void A_backup_that_builds_on_itself_is_an_error_and_can_be_removed()
    {
        var chain = Chain(2);
        EditSidecar(chain[1], sidecar => sidecar["parent_id"] = chain[1].Id);

        AssertBroken(chain[1], BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, "builds on it");

        Assert.Empty(scene.Remove(chain[1]).Faults);
        AssertGood(chain[..1]);
    }

    [Fact]
    public void An_increment_without_a_parent_is_an_error()
    {
        var chain = Chain(2);
        EditSidecar(chain[1], sidecar => sidecar.Remove("parent_id"));

        AssertBroken(chain[1], BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, "does not name its parent");
    }

    [Fact]
    public void A_sidecar_that_stands_where_another_ones_was_is_not_used()
    {
        var chain = Chain(3);
        SwapFiles(SidecarOf(chain[1]), SidecarOf(chain[2]));

        Assert.Equal([BackupErrorId.SidecarHostile, BackupErrorId.SidecarHostile], scene.Directory.List().Faults.Select(fault => fault.ErrorId));
        Scene.Fails(BackupErrorId.SidecarHostile, BackupErrorCategory.SecurityError, () => scene.RestoreTo(scene["new.db"], chain[2]));

        SwapFiles(SidecarOf(chain[1]), SidecarOf(chain[2]));
        AssertGood(chain);
    }

    [Fact]
    public void Two_increments_whose_content_was_swapped_are_found()
    {
        var full = Chain(1)[0];
        var one = Make(Increment with { Compression = CompressionType.None });
        var other = Make(Increment with { Compression = CompressionType.None, ParentId = full.Id });
        SwapFiles(one.BackupPath, other.BackupPath);

        foreach (var broken in (BackupMetadata[])[one, other])
        {
            var error = Assert.Throws<BackupException>(() => scene.RestoreTo(scene["new.db"], broken));
            Assert.Contains(error.ErrorId, DamageIds);
            Assert.NotNull(scene.Verify(broken).Fault);
        }

        // Even if somebody has made size and checksum of the file agree, the image is another one.
        EditSidecar(
            one,
            sidecar => (sidecar["size_bytes"], sidecar["stored_checksum"], sidecar["wal_checksum"]) = (other.Size, other.StoredChecksum, other.WalChecksum));
        AssertBroken(one, BackupErrorId.BackupChecksumMismatch, BackupErrorCategory.InvalidData, one.Id);
        AssertGood([full]);
    }

    [Fact]
    public void A_parent_whose_pages_have_another_size_is_not_built_on()
    {
        var chain = Chain(2);
        using (var user = Databases.Open(scene.Database))
        {
            Databases.Execute(user, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM");
        }

        AssertFull(Make(Increment with { ParentId = chain[0].Id }), "pages of 8192 bytes");
        AssertGood(chain);
        EditSidecar(chain[0], sidecar => (sidecar["page_size"], sidecar["database_size"]) = (8192, 8192 * chain[0].PageCount));
        AssertBroken(chain[1], BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, "pages of 8192 bytes");
    }

    [Theory]
    [InlineData(BackupStrategy.Incremental, true)]
    [InlineData(BackupStrategy.Incremental, false)]
    [InlineData(BackupStrategy.Wal, true)]
    [InlineData(BackupStrategy.Wal, false)]
    public void Two_machines_with_the_same_path_share_a_directory(BackupStrategy strategy, bool sameAtFirst)
    {
        // They share only the path; each finds the other one's backup as the newest.
        Databases.Create(scene.Database);
        var other = scene["the other machine's.db"];
        if (sameAtFirst)
        {
            File.Copy(scene.Database, other);
        }
        else
        {
            Databases.Create(other, new DatabaseShape { Rows = 700 });
        }

        var options = new CreateBackupOptions { Strategy = strategy };
        List<BackupMetadata> made = [];
        for (var round = 0; round < 3; round++)
        {
            for (var machine = 0; machine < 2; machine++)
            {
                Edit($"INSERT INTO audit(what) VALUES ('{machine} {round}')");
                made.Add(Make(options));
                SwapFiles(scene.Database, other);
            }
        }

        Assert.Contains(made, backup => backup.Type == (sameAtFirst ? BackupType.Incremental : BackupType.Full));
        AssertGood(made);
        Assert.Empty(scene.Remove([.. made.Take(3)]).Faults);
        AssertGood(made.Skip(3));
    }

    [Fact]
    public void A_clock_that_goes_back_breaks_nothing()
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        var clock = new JumpingClock(scene.Clock.GetUtcNow());
        var directory = new BackupDirectory(scene.Directory.Path, clock);
        List<BackupMetadata> chain = [];
        for (var round = 0; round < 6; round++)
        {
            Edit($"INSERT INTO audit(what) VALUES ('{round}')");
            chain.Add(CreateBackup.Run(
                scene.Database, directory, Increment with { ParentId = chain.LastOrDefault()?.Id },
                new OperationContext(clock, scene.Events.Enqueue, CancellationToken.None)));
            truths.Add(chain[^1].Id, ImageHash.Of(scene.Database));
            clock.Jump(-TimeSpan.FromDays(1));
        }

        // Parents have later dates than their children here; still, the one made last is listed first.
        Assert.Equal([5, 4, 3, 2, 1, 0], scene.Directory.List().Backups.Select(backup => backup.Depth));
        AssertGood(chain);
        Assert.Empty(scene.Remove(chain[0], chain[2], chain[3]).Faults);
        AssertGood([chain[1], chain[4], chain[5]]);
        Assert.Equal([0, 1, 2], new[] { 1, 4, 5 }.Select(index => scene.Directory.Get(chain[index].Id).Depth));
        Assert.Empty(scene.Remove(chain[1], chain[4], chain[5]).Faults);
        Assert.Empty(scene.Directory.List().Backups);
    }

    [Fact]
    public void A_backup_of_a_clock_that_ran_ahead_is_not_what_every_later_one_builds_on()
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        var ahead = Make(TimeSpan.FromDays(365));
        var first = Make(TimeSpan.Zero);
        var second = Make(TimeSpan.Zero);

        // The first one has no other backup to build on.
        Assert.Equal([null, ahead.Id, first.Id], new[] { ahead, first, second }.Select(backup => backup.ParentId));
        AssertGood([ahead, first, second]);

        BackupMetadata Make(TimeSpan tooEarly)
        {
            Edit($"INSERT INTO audit(what) VALUES ('{truths.Count}')");
            scene.Clock.Advance(TimeSpan.FromSeconds(1));
            var clock = new JumpingClock(scene.Clock.GetUtcNow() + tooEarly);
            var backup = CreateBackup.Run(
                scene.Database, scene.Directory, Increment, new OperationContext(clock, scene.Events.Enqueue, CancellationToken.None));
            truths.Add(backup.Id, ImageHash.Of(scene.Database));
            return backup;
        }
    }

    [Theory]
    [InlineData(BackupStrategy.Incremental, "Comparing")]
    [InlineData(BackupStrategy.Incremental, "Backing up")]
    [InlineData(BackupStrategy.Incremental, "Verifying")]
    [InlineData(BackupStrategy.Wal, "Backing up")]
    [InlineData(BackupStrategy.Wal, "Verifying")]
    public void A_parent_that_is_removed_while_it_is_built_on_makes_a_full_backup(BackupStrategy strategy, string moment)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database);
        var parent = scene.Create();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        var removed = false;
        var context = scene.Context(told =>
        {
            if (!removed && told is OperationProgress progress && progress.Activity.StartsWith(moment, StringComparison.Ordinal))
            {
                removed = true;
                Assert.Empty(scene.Remove(parent).Faults);
            }
        });

        var backup = scene.Create(new CreateBackupOptions { Strategy = strategy }, context: context);

        truths.Add(backup.Id, Hash(TrueImage.Of(scene.Database)));
        AssertFull(backup, parent.Id);
        Assert.Contains(scene.Warnings, warning => warning.Contains(parent.Id, StringComparison.Ordinal));
        Assert.Equal([backup.Id], scene.Directory.List().Backups.Select(listed => listed.Id));
        Assert.Equal(2, Directory.GetFiles(scene.Directory.Path).Length);
        AssertGood([backup]);
    }

    [Theory]
    [InlineData(BackupStrategy.Incremental)]
    [InlineData(BackupStrategy.Wal)]
    public void The_digests_of_another_database_with_the_same_path_are_not_believed(BackupStrategy strategy)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        var parent = scene.Create();
        var digests = Assert.Single(Directory.GetFiles(scene.Directory.Layout.DigestFolder));
        var own = File.ReadAllBytes(digests);
        Databases.Execute(user, "UPDATE customer SET name = name || '!' WHERE id % 50 = 0");

        // As long as the others, with the right name and the right header: the digests of the present database, for example.
        using (var file = File.OpenWrite(digests))
        {
            var now = TrueImage.Of(scene.Database);
            file.Position = PageDigestFile.HeaderSize;
            for (var page = 0; page < parent.PageCount; page++)
            {
                file.Write(SHA256.HashData(now.AsSpan(page * 4096, 4096)).AsSpan(0, 16));
            }
        }

        Assert.Equal(own.Length, new FileInfo(digests).Length);
        Assert.NotEqual(own, File.ReadAllBytes(digests));

        var backup = scene.Create(new CreateBackupOptions { Strategy = strategy, Verify = false });

        truths.Add(backup.Id, Hash(TrueImage.Of(scene.Database)));
        Assert.Equal(parent.Id, backup.ParentId);
        Assert.Contains(scene.Events.OfType<OperationMessage>(), message => message.Text.Contains("computed from the backup", StringComparison.Ordinal));
        AssertGood([backup]);
    }

    [Fact]
    public void Digests_that_another_run_is_making_or_that_cannot_be_made_are_no_error_of_another_kind()
    {
        var chain = Chain(2);
        Directory.Delete(scene.Directory.Layout.StateFolder, recursive: true);
        Directory.CreateDirectory(scene.Directory.Layout.StateFolder);
        File.WriteAllText(scene.Directory.Layout.DigestFolder, "a file where the folder should be");

        var error = Assert.Throws<BackupException>(() => Make(Increment));

        Assert.Contains(error.ErrorId, (string[])[BackupErrorId.WriteFailed, BackupErrorId.DirectoryNotWritable]);
        File.Delete(scene.Directory.Layout.DigestFolder);
        var next = Make(Increment);
        Assert.Equal(chain[1].Id, next.ParentId);
        AssertGood([.. chain, next]);
    }

    [Fact]
    public void Nothing_is_written_through_a_link_in_the_state_folder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links takes a privilege on Windows");
        var chain = Chain(2);
        var elsewhere = scene.Files.Folder("elsewhere");
        foreach (var folder in (string[])[scene.Directory.Layout.DigestFolder, scene.Directory.Layout.TemporaryParent])
        {
            Directory.Delete(scene.Directory.Layout.StateFolder, recursive: true);
            Directory.CreateDirectory(scene.Directory.Layout.StateFolder);
            Directory.CreateSymbolicLink(folder, elsewhere);
            using var watched = new FileSystemWatcher(elsewhere);
            ConcurrentQueue<string?> seen = [];
            watched.Created += (_, change) => seen.Enqueue(change.Name);
            watched.EnableRaisingEvents = true;

            Scene.Fails(BackupErrorId.SidecarHostile, BackupErrorCategory.SecurityError, () => Make(Increment));
            Scene.Fails(BackupErrorId.SidecarHostile, BackupErrorCategory.SecurityError, () => scene.Verify(chain[1]));

            // The last event here is the last one recorded.
            File.WriteAllText(Path.Combine(elsewhere, "last"), "");
            SpinWait.SpinUntil(() => seen.Contains("last"));
            Assert.Equal(["last"], seen);
            File.Delete(Path.Combine(elsewhere, "last"));
        }
    }

    /// <summary>Makes a full backup and increments on it, each with changes of a few pages.</summary>
    private BackupMetadata[] Chain(int length, CompressionType compression = CompressionType.Zstd, JournalMode journal = JournalMode.Delete)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = journal, Rows = 300 });
        BackupMetadata[] chain = [.. Enumerable.Range(0, length).Select(_ => Make(Increment with { Compression = compression }))];
        Assert.Equal(Enumerable.Range(0, length), chain.Select(backup => backup.Depth!.Value));
        return chain;
    }

    private BackupMetadata Make(CreateBackupOptions? options = null)
    {
        Edit($"INSERT INTO audit(what) VALUES ('backup {truths.Count}')");
        var backup = scene.Create(options);
        truths.Add(backup.Id, ImageHash.Of(scene.Database));
        return backup;
    }

    private void Edit(string sql)
    {
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, sql);
    }

    private void AssertUnusable(BackupMetadata parent, string reason, BackupStrategy strategy = BackupStrategy.Incremental)
    {
        var error = Scene.Fails(
            BackupErrorId.ParentUnusable,
            BackupErrorCategory.InvalidArgument,
            () => scene.Create(new CreateBackupOptions { Strategy = strategy, ParentId = parent.Id }));
        Assert.Equal(parent.Id, error.Target);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static void AssertFull(BackupMetadata backup, string reason)
    {
        Assert.Equal((BackupType.Full, null), (backup.Type, backup.ParentId));
        Assert.Contains(reason, (string)backup.Metadata["full_reason"]!, StringComparison.Ordinal);
    }

    private void AssertBroken(BackupMetadata backup, string errorId, BackupErrorCategory category, string reason)
    {
        var error = Scene.Fails(errorId, category, () => scene.RestoreTo(scene["new.db"], backup));
        Assert.Equal(backup.Id, error.Target);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(scene["new.db"]));
        var outcome = scene.Verify(backup);
        Assert.Equal(errorId, outcome.Fault?.ErrorId);
        Assert.Contains(reason, outcome.Fault!.Message, StringComparison.Ordinal);
        Assert.False(scene.Directory.Get(backup.Id).Verified);
    }

    private void AssertGood(IEnumerable<BackupMetadata> backups)
    {
        foreach (var backup in backups)
        {
            Assert.Equal(truths[backup.Id], Hash(scene.Restored(backup)));
            Assert.Null(scene.Verify(backup).Fault);
        }
    }

    private void EditSidecar(BackupMetadata backup, Action<JsonObject> edit)
    {
        var sidecar = JsonNode.Parse(File.ReadAllText(SidecarOf(backup)))!.AsObject();
        edit(sidecar);
        File.WriteAllText(SidecarOf(backup), sidecar.ToJsonString());
    }

    private string SidecarOf(BackupMetadata backup) => scene.Stored(backup.Id + ".json");

    private void SwapFiles(string one, string other)
    {
        File.Move(one, scene["swapped"]);
        File.Move(other, one);
        File.Move(scene["swapped"], other);
    }

    private static void FlipBit(string path, double place, int bit = 3)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[(int)Math.Min(bytes.Length - 1, place * bytes.Length)] ^= (byte)(1 << bit);
        File.WriteAllBytes(path, bytes);
    }

    private static string Hash(byte[] image) => Convert.ToHexStringLower(SHA256.HashData(image));
}
