using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Remove;

/// <summary>Backups are removed from the middle and the bottom of chains, and every remaining one is unchanged.</summary>
public sealed class FoldTests : IDisposable
{
    private readonly Scene scene = new();
    private readonly Dictionary<string, string> truths = [];
    private SqliteConnection? user;

    public static TheoryData<CompressionType> Compressions => [.. Enum.GetValues<CompressionType>()];

    public void Dispose()
    {
        user?.Dispose();
        scene.Dispose();
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void A_chain_that_straddles_what_is_removed_goes_on_from_a_new_full_backup(CompressionType compression)
    {
        var chain = Chain(6, new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Compression = compression });

        Assert.Equal(chain[..3].Reverse().Select(backup => backup.Id), Removed(chain[..3]));

        AssertLeft(chain[3..], [0, 1, 2]);
        var survivor = scene.Directory.Get(chain[3].Id);
        Assert.Equal((BackupType.Full, compression, null, null), (survivor.Type, survivor.Compression, survivor.ParentId, survivor.WalChecksum));
        Assert.Equal(survivor.Checksum, Scene.Digest(scene.Unpack(survivor)));

        // The next one finds its parent as usual.
        Assert.Equal(chain[5].Id, Make().ParentId);
    }

    [Fact]
    public void What_is_known_of_a_backup_stays_known_when_it_is_folded()
    {
        var chain = Chain(2);
        var before = Make(new CreateBackupOptions
        {
            Strategy = BackupStrategy.Incremental,
            Description = "to be kept",
            RetentionPolicy = RetentionPolicy.Weekly,
            Metadata = new Dictionary<string, object?> { ["host"] = "a" },
        });
        var sidecar = scene.Stored(before.Id + ".json");
        var root = JsonNode.Parse(File.ReadAllText(sidecar))!.AsObject();
        root["of_another_version"] = 7;
        File.WriteAllText(sidecar, root.ToJsonString());
        before = scene.Directory.Get(before.Id);

        Removed(chain);

        var after = scene.Directory.Get(before.Id);
        Assert.Equal(
            before with
            {
                Type = BackupType.Full,
                ParentId = null,
                Depth = 0,
                BackupPath = after.BackupPath,
                Size = after.Size,
                StoredChecksum = after.StoredChecksum,
                WalChecksum = null,
                Verification = after.Verification,
                Metadata = after.Metadata,
                RowCounts = after.RowCounts,
                FileAccess = after.FileAccess,
            },
            after);
        Assert.Equivalent(before.FileAccess, after.FileAccess);
        Assert.Equal(before.Verification, after.Verification);
        Assert.Equal(before.Metadata, after.Metadata);
        Assert.Equal(before.RowCounts, after.RowCounts);
        Assert.Equal(before.Id + "_g2_full.db.zst", Path.GetFileName(after.BackupPath));
        Assert.Equal((after.Size, after.StoredChecksum), (new FileInfo(after.BackupPath).Length, Scene.Digest(after.BackupPath)));
        Assert.Contains("\"of_another_version\": 7", File.ReadAllText(sidecar), StringComparison.Ordinal);
        AssertLeft([before], [0]);
    }

    [Fact]
    public void Of_several_branches_on_a_removed_full_backup_the_oldest_takes_its_place()
    {
        var full = Chain(1)[0];
        BackupMetadata[] branches = [.. Enumerable.Range(0, 3).Select(_ => Make(On(full)))];
        var leaf = Make(On(branches[1]));

        Removed(full);

        AssertLeft([.. branches, leaf], [0, 1, 1, 2]);
        Assert.Equal(
            [null, branches[0].Id, branches[0].Id, branches[1].Id],
            ((BackupMetadata[])[.. branches, leaf]).Select(backup => scene.Directory.Get(backup.Id).ParentId));
    }

    [Fact]
    public void Branches_whose_own_links_are_removed_as_well_are_put_on_the_oldest_survivor()
    {
        // F - A - B, F - C - D, F - E: F, A and C are removed.
        var f = Chain(1)[0];
        var a = Make(On(f));
        var b = Make(On(a));
        var c = Make(On(f), "CREATE TABLE more(x); INSERT INTO more SELECT zeroblob(100000)");
        var d = Make(On(c), "DROP TABLE more; PRAGMA incremental_vacuum");
        var e = Make(On(f));

        Removed(c, f, a);

        AssertLeft([b, d, e], [0, 1, 1]);
    }

    [Fact]
    public void A_link_in_the_middle_is_folded_into_the_next()
    {
        var chain = Chain(5);

        Removed(chain[2]);

        AssertLeft([chain[0], chain[1], chain[3], chain[4]], [0, 1, 2, 3]);
        Assert.Equal(chain[1].Id, scene.Directory.Get(chain[3].Id).ParentId);
        Assert.Equal("_g2_incremental.wal.zst", Path.GetFileName(scene.Directory.Get(chain[3].Id).BackupPath)[chain[3].Id.Length..]);
    }

    [Fact]
    public void Links_that_let_the_database_shrink_and_grow_are_folded()
    {
        var chain = Chain(2);
        var small = Make(sql: "DELETE FROM audit WHERE id > 20; DROP TABLE note; PRAGMA incremental_vacuum");
        var big = Make(sql: "CREATE TABLE more(x); INSERT INTO more SELECT randomblob(60000)");
        var last = Make(sql: "PRAGMA user_version = 5");
        Assert.True(small.PageCount < chain[1].PageCount && big.PageCount > small.PageCount);

        Removed(small);
        AssertLeft([.. chain, big, last], [0, 1, 2, 3]);
        Removed(big);
        AssertLeft([.. chain, last], [0, 1, 2]);
    }

    [Fact]
    public void Log_tails_are_folded_and_their_images_are_known_afterwards()
    {
        user = Databases.CreateWithLiveWal(scene.Database);
        var options = new CreateBackupOptions { Strategy = BackupStrategy.Wal };
        BackupMetadata[] chain = [.. Enumerable.Range(0, 5).Select(_ => Make(options))];
        Assert.All(chain[1..], backup => Assert.Equal((BackupType.Wal, null), (backup.Type, backup.Checksum)));

        Removed(chain[2]);

        var folded = scene.Directory.Get(chain[3].Id);
        Assert.Equal((BackupType.Wal, truths[chain[3].Id]), (folded.Type, folded.Checksum));
        AssertLeft([chain[0], chain[1], chain[3], chain[4]], [0, 1, 2, 3]);
        Removed(chain[0], chain[1]);
        AssertLeft([chain[3], chain[4]], [0, 1]);

        // The log continues as if nothing had happened.
        var next = Make(options);
        Assert.Equal((BackupType.Wal, chain[4].Id), (next.Type, next.ParentId));
        AssertLeft([chain[3], chain[4], next], [0, 1, 2]);
    }

    [Fact]
    public void Everything_is_removed_from_the_top_down()
    {
        var chain = Chain(4);
        var branch = Make(On(chain[1]));

        var removed = Removed([.. chain, branch]);

        Assert.Equal(5, removed.Count);
        for (var link = 1; link < chain.Length; link++)
        {
            Assert.True(removed.ToList().IndexOf(chain[link].Id) < removed.ToList().IndexOf(chain[link - 1].Id));
        }

        Assert.Empty(Directory.GetFiles(scene.Directory.Path));
        Assert.DoesNotContain(scene.Events.OfType<OperationProgress>(), told => told.Activity.StartsWith("Folding", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 2)]
    [InlineData(2, 2)]
    public void What_is_damaged_is_not_folded_and_nothing_of_its_chain_is_removed(int damaged, int lastRemoved)
    {
        // F - A - B - C, and another chain.
        var chain = Chain(4);
        BackupMetadata[] other = [Make(new CreateBackupOptions()), Make()];
        var good = File.ReadAllBytes(chain[damaged].BackupPath);
        byte[] bad = [.. good];
        bad[bad.Length / 2] ^= 1;
        File.WriteAllBytes(chain[damaged].BackupPath, bad);
        var before = Files();
        BackupMetadata[] toRemove = [.. chain[1..(lastRemoved + 1)], other[0]];

        (var removed, var faults) = scene.Remove(toRemove);

        Assert.Equal([other[0].Id], removed);
        Assert.Equal(chain[1..(lastRemoved + 1)].Select(backup => backup.Id).Order(), faults.Select(fault => fault.Target as string).Order());
        Assert.All(faults, fault =>
        {
            Assert.Equal((BackupErrorId.BackupHasDependants, BackupErrorCategory.InvalidOperation), (fault.ErrorId, fault.Category));
            Assert.Contains(chain[damaged].Id, fault.Message, StringComparison.Ordinal);
            Assert.Contains(chain[lastRemoved + 1].Id, fault.Message, StringComparison.Ordinal);
            Assert.Contains("-Cascade", fault.Message, StringComparison.Ordinal);
        });
        foreach ((var name, var digest) in Files().Where(file => chain.Any(backup => file.Key.StartsWith(backup.Id, StringComparison.Ordinal))))
        {
            Assert.Equal(before[name], digest);
        }

        File.WriteAllBytes(chain[damaged].BackupPath, good);
        AssertLeft([.. chain, other[1]], [0, 1, 2, 3, 0]);
    }

    [Fact]
    public void With_what_builds_on_it_a_backup_is_removed_without_any_folding_though_it_is_damaged()
    {
        var chain = Chain(4);
        var branch = Make(On(chain[0]));
        File.WriteAllBytes(chain[1].BackupPath, [1, 2, 3]);

        Removed([chain[1], .. scene.Directory.Dependants(chain[1].Id)]);

        AssertLeft([chain[0], branch], [0, 1]);
    }

    [Fact]
    public void A_backup_that_is_merged_stands_by_itself_and_what_builds_on_it_goes_on_to_do_so()
    {
        var chain = Chain(5);

        var merged = MergeBackup.Run(chain[2], scene.Directory, scene.Context());

        Assert.Equal((BackupType.Full, null, 0, true), (merged.Type, merged.ParentId, merged.Depth, merged.Verified));
        AssertLeft(chain, [0, 1, 0, 1, 2]);

        // A second merge leaves it unchanged, even with its old description.
        var before = Files();
        Assert.Equal(merged.BackupPath, MergeBackup.Run(chain[2], scene.Directory, scene.Context()).BackupPath);
        Assert.Equal(before, Files());
        Removed(chain[0], chain[1]);
        AssertLeft(chain[2..], [0, 1, 2]);
        MergeBackup.Run(chain[4], scene.Directory, scene.Context());
        AssertLeft(chain[2..], [0, 1, 0]);
    }

    [Fact]
    public void A_damaged_chain_is_not_merged()
    {
        var chain = Chain(3);
        var bad = File.ReadAllBytes(chain[1].BackupPath);
        bad[bad.Length / 2] ^= 1;
        File.WriteAllBytes(chain[1].BackupPath, bad);
        var before = Files();

        var error = Scene.Fails(BackupErrorId.ChainBroken, BackupErrorCategory.InvalidData, () => MergeBackup.Run(chain[2], scene.Directory, scene.Context()));

        Assert.Contains(chain[1].Id, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Files());
    }

    [Fact]
    public void The_files_of_a_restore_under_way_may_be_folded_and_removed()
    {
        var chain = Chain(4);
        var removed = false;
        var context = scene.Context(told =>
        {
            if (!removed && told is OperationProgress { Activity: var activity } && activity.StartsWith("Restoring", StringComparison.Ordinal))
            {
                removed = true;
                Assert.Empty(scene.Remove(chain[..3]).Faults);
            }
        });

        scene.RestoreTo(scene["new.db"], chain[3], context);

        Assert.True(removed);
        Assert.Equal(truths[chain[3].Id], Scene.Digest(scene["new.db"]));
        AssertLeft(chain[3..], [0]);
    }

    [Fact]
    public void A_backup_is_restored_while_it_is_folded()
    {
        var chain = Chain(4);
        var restored = 0;
        RemoveBackups.Run([chain[1].Id], scene.Directory, _ => { }, fault => Assert.Fail(fault.Message), scene.Context(told =>
        {
            if (told is OperationProgress progress && progress.Activity == $"Folding {chain[2].Id}")
            {
                Assert.Equal(truths[chain[2].Id], Hash(scene.Restored(chain[2])));
                Assert.Equal(truths[chain[3].Id], Hash(scene.Restored(chain[3])));
                restored++;
            }
        }));

        Assert.True(restored > 0);
        AssertLeft([chain[0], chain[2], chain[3]], [0, 1, 2]);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 3)]
    [InlineData(3, 0)]
    public void Two_removals_at_once_of_any_two_links(int first, int second)
    {
        var chain = Chain(5);
        var begun = false;
        List<string> removed = [];
        List<BackupException> faults = [];
        RemoveBackups.Run([chain[first].Id], scene.Directory, backup => removed.Add(backup.Id), faults.Add, scene.Context(told =>
        {
            if (!begun && told is OperationProgress progress && progress.Activity.StartsWith("Folding", StringComparison.Ordinal))
            {
                begun = true;
                (var others, var othersFaults) = scene.Remove(chain[second]);
                removed.AddRange(others);
                faults.AddRange(othersFaults);
            }
        }));

        Assert.True(begun);
        int[] left = [.. Enumerable.Range(0, 5).Except([first, second])];

        // One of them removes each backup, and that is no error to the other.
        Assert.Equal(new[] { chain[first].Id, chain[second].Id }.Distinct().Order(), removed.Order());
        Assert.Empty(faults);
        AssertLeft([.. left.Select(index => chain[index])], [.. Enumerable.Range(0, left.Length)]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_increment_published_while_its_parent_is_being_removed_is_folded_too(int link)
    {
        var chain = Chain(3);
        BackupMetadata? late = null;
        RemoveBackups.Run([chain[link].Id], scene.Directory, _ => { }, fault => Assert.Fail(fault.Message), scene.Context(told =>
        {
            if (late is null && told is OperationProgress progress && progress.Activity.StartsWith("Folding", StringComparison.Ordinal))
            {
                late = Make(On(chain[link]));
            }
        }));

        Assert.Equal(chain[link].Id, late!.ParentId);
        BackupMetadata[] left = [.. chain[..link], .. chain[(link + 1)..], late];
        AssertLeft(left, link == 0 ? [0, 1, 0] : [0, 1, 1]);
    }

    [Fact]
    public void A_removal_is_planned_anew_as_long_as_others_come_first()
    {
        var chain = Chain(3);
        List<BackupMetadata> late = [];
        RemoveBackups.Run([chain[1].Id], scene.Directory, _ => { }, fault => Assert.Fail(fault.Message), scene.Context(told =>
        {
            if (told is OperationMessage message && message.Text.EndsWith("can be removed.", StringComparison.Ordinal) && late.Count < 6)
            {
                late.Add(Make(On(chain[1])));
            }
        }));

        Assert.Equal(6, late.Count);
        AssertLeft([chain[0], chain[2], .. late], [0, 1, .. late.Select(_ => 1)]);
    }

    [Fact]
    public void A_removal_gives_up_where_others_never_end_and_leaves_everything()
    {
        var chain = Chain(2);
        List<BackupMetadata> late = [];
        List<BackupException> faults = [];
        RemoveBackups.Run([chain[0].Id], scene.Directory, _ => Assert.Fail("removed"), faults.Add, scene.Context(told =>
        {
            if (told is OperationMessage message && message.Text.EndsWith("can be removed.", StringComparison.Ordinal))
            {
                late.Add(Make(On(chain[0])));
            }
        }));

        Assert.Equal((BackupErrorId.BackupHasDependants, chain[0].Id), (Assert.Single(faults).ErrorId, faults[0].Target));
        AssertLeft([.. chain, .. late], null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_removal_that_is_stopped_while_it_folds_leaves_everything_as_it_was(int link)
    {
        var chain = Chain(4);
        var before = Files();
        using var stop = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => RemoveBackups.Run(
            [chain[link].Id],
            scene.Directory,
            _ => Assert.Fail("removed"),
            fault => Assert.Fail(fault.Message),
            scene.ContextUntil(stop.Token, told =>
            {
                if (told is OperationProgress progress && progress.Activity.StartsWith("Folding", StringComparison.Ordinal))
                {
                    stop.Cancel();
                }
            })));

        Assert.Equal(before, Files());
        AssertLeft(chain, [0, 1, 2, 3]);
    }

    [Fact]
    public async Task Readers_never_meet_a_broken_chain_while_links_are_removed_and_added()
    {
        var chain = Chain(4);
        using var stop = new CancellationTokenSource();
        var last = chain[^1].Id;
        var reader = Task.Run(() =>
        {
            var read = 0;
            for (; !stop.IsCancellationRequested; read++)
            {
                var id = Volatile.Read(ref last);
                var backup = scene.Directory.Get(id);
                Assert.NotNull(backup.Depth);
                var outcome = VerifyBackup.Run(BackupSource.In(scene.Directory, backup), VerificationLevel.Full, new OperationContext(
                    TimeProvider.System, _ => { }, CancellationToken.None));
                Assert.True(outcome.Fault is null, outcome.Fault?.Message);
            }

            return read;
        });
        List<BackupMetadata> left = [.. chain];
        for (var round = 0; round < Iterations.Of(25) && !reader.IsCompleted; round++)
        {
            left.Add(Make());
            Volatile.Write(ref last, left[^1].Id);
            BackupMetadata[] old = [.. left.SkipLast(3).Where((_, index) => (index + round) % 2 == 0)];
            Removed(old);
            left.RemoveAll(old.Contains);
        }

        await stop.CancelAsync();
        Assert.True(await reader > 0);
        AssertLeft([.. left], null);
    }

    [Fact]
    public async Task Backups_and_removals_of_several_runs_at_once_lose_nothing()
    {
        var context = new OperationContext(TimeProvider.System, _ => { }, CancellationToken.None);
        var made = new ConcurrentDictionary<string, string>(Chain(4).ToDictionary(backup => backup.Id, backup => truths[backup.Id]));

        // One task edits and backs up, so the truth is known; the others remove the backups that they find.
        var removers = Enumerable.Range(0, 2).Select(number => Task.Run(() =>
        {
            var random = new Random(number);
            for (var round = 0; round < Iterations.Of(20); round++)
            {
                string[] chosen = [.. made.Keys.Order(StringComparer.Ordinal).SkipLast(2).Where(_ => random.Next(3) == 0)];
                RemoveBackups.Run(
                    chosen,
                    scene.Directory,
                    backup => made.TryRemove(backup.Id, out var _),
                    fault => Assert.Fail(fault.Message),
                    context);

                // The next removal should meet the other two at another step; nothing is waited for.
                Thread.Sleep(random.Next(20));
            }
        })).ToArray();
        while (!Array.TrueForAll(removers, task => task.IsCompleted))
        {
            using (var editor = Databases.Open(scene.Database))
            {
                Databases.Execute(
                    editor, "INSERT INTO audit(what) VALUES ('one'); UPDATE customer SET name = name || '.' WHERE id = (SELECT count(*) FROM audit) % 300");
            }

            var truth = ImageHash.Of(scene.Database);
            made.TryAdd(
                CreateBackup.Run(scene.Database, scene.Directory, new CreateBackupOptions { Strategy = BackupStrategy.Incremental }, context).Id, truth);
        }

        await Task.WhenAll(removers);
        foreach ((var id, var truth) in made)
        {
            truths[id] = truth;
        }

        AssertLeft([.. made.Keys.Select(scene.Directory.Get)], null);
    }

    /// <summary>Makes a full backup and increments on it, each with changes of a few pages.</summary>
    private BackupMetadata[] Chain(int length, CreateBackupOptions? options = null)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete, Rows = 300, AutoVacuum = AutoVacuum.Incremental });
        BackupMetadata[] chain = [.. Enumerable.Range(0, length).Select(_ => Make(options))];
        Assert.Equal(Enumerable.Range(0, length), chain.Select(backup => backup.Depth!.Value));
        return chain;
    }

    private BackupMetadata Make(CreateBackupOptions? options = null, string? sql = null)
    {
        sql ??= $"INSERT INTO audit(what) VALUES ('backup {truths.Count}')";
        if (user is not null)
        {
            Databases.Execute(user, sql);
        }
        else
        {
            using var editor = Databases.Open(scene.Database);
            Databases.Execute(editor, sql);
        }

        var backup = scene.Create(options ?? new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
        truths.Add(backup.Id, Hash(TrueImage.Of(scene.Database)));
        return backup;
    }

    private static CreateBackupOptions On(BackupMetadata parent) => new() { Strategy = BackupStrategy.Incremental, ParentId = parent.Id };

    private IReadOnlyList<string> Removed(params BackupMetadata[] backups)
    {
        (var removed, var faults) = scene.Remove(backups);
        Assert.Empty(faults);
        Assert.Equal(backups.Select(backup => backup.Id).Order(), removed.Order());
        return removed;
    }

    /// <summary>Checks that these backups remain, that they are unchanged, and that there is no other file.</summary>
    private void AssertLeft(BackupMetadata[] backups, int[]? depths)
    {
        var listing = scene.Directory.List();
        Assert.Empty(listing.Faults);
        Assert.Equal(backups.Select(backup => backup.Id).Order(), listing.Backups.Select(backup => backup.Id).Order());
        BackupMetadata[] now = [.. backups.Select(backup => listing.Backups.Single(listed => listed.Id == backup.Id))];
        if (depths is not null)
        {
            Assert.Equal(depths, now.Select(backup => backup.Depth!.Value));
        }

        foreach (var backup in now)
        {
            Assert.Equal(truths[backup.Id], Hash(scene.Restored(backup)));
            Assert.Null(scene.Verify(backup).Fault);
            Assert.Equal(truths[backup.Id], scene.Directory.Get(backup.Id).Checksum);
        }

        Assert.Equal(
            now.SelectMany(backup => new[] { Path.GetFileName(backup.BackupPath), backup.Id + ".json" }).Order(),
            Directory.GetFiles(scene.Directory.Path).Select(file => Path.GetFileName(file)).Order());
    }

    /// <summary>Returns the backups' files and sidecars, with digests.</summary>
    private SortedDictionary<string, string> Files() =>
        new(Directory.GetFiles(scene.Directory.Path).ToDictionary(file => Path.GetFileName(file), Scene.Digest), StringComparer.Ordinal);

    private static string Hash(byte[] image) => Convert.ToHexStringLower(SHA256.HashData(image));
}
