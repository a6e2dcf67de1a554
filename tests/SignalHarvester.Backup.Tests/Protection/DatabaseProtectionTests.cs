using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>Continuous protection of a database that an application in a process of its own is using.</summary>
public sealed class DatabaseProtectionTests : IDisposable
{
    private static readonly string[] Pragmas = ["journal_mode = WAL", "synchronous = OFF"];

    // Longer than the half second in which a protection looks for the request to stop; it says nothing when it has found it.
    private static readonly TimeSpan ItsNoticing = TimeSpan.FromSeconds(2);

    private readonly TempFolder folder = new();
    private readonly StoreCatalog store;

    public DatabaseProtectionTests() => store = new StoreCatalog(
        new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Database => folder["app.db"];

    private string Backups => folder["backups"];

    private ApplicationOptions Options => new() { DatabasePath = Database, Pragmas = Pragmas };

    public void Dispose()
    {
        store.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_transaction_is_stored_and_restored_from_the_store_alone(bool isEncrypted)
    {
        var identities = IdentityRing.Empty;
        BackupEncryption? encryption = null;
        if (isEncrypted)
        {
            // The machine that protects has the public key only.
            encryption = BackupEncryption.To([BackupKeys.Create(folder["key"], TimeProvider.System).Recipient]);
            identities = identities.WithFile(folder["key"], Cancelled);
        }

        var options = new ProtectionOptions { CreatesContainer = true, Encryption = encryption, BackupInterval = TimeSpan.FromSeconds(1) };
        using var application = await Application.StartAsync(Options);
        _ = await application.WorkAsync(30);
        using (var protecting = new Protecting(Database, Backups, store, options))
        {
            _ = protecting.AwaitStored();
            for (var round = 0; round < 2; round++)
            {
                _ = await application.WorkAsync(20);
                var made = protecting.AwaitStored().LastBackup;

                // The next ordinary backup, made of the pages that were seen to change.
                _ = await application.WorkAsync(1);
                _ = protecting.Await(status => status.LastBackup != made);
            }

            await application.EndAsync();
            _ = protecting.AwaitStored();
            Assert.Null(protecting.Stop());
            Assert.Equal((ProtectionState.Stopped, 0), (protecting.Status.State, protecting.Status.Gaps));
        }

        var backups = BackupChain.WithDepths(store.List(Cancelled).Backups);
        Assert.InRange(backups.Count(backup => Equals(backup.Metadata["snapshot_method"], "followed")), 1, 10);
        var context = Context(identities);
        var home = new BackupDirectory(Backups, TimeProvider.System);
        foreach (var backup in home.List().Backups)
        {
            Assert.True(BackupEngine.Verify(BackupSource.In(home, backup), VerificationLevel.Full, context).Backup.Verified, backup.Id);
        }

        var journal = TransactionRecord.Read(Options.JournalPath);
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var last = Newest(backups, context);
        var counted = new List<int>();
        foreach (var transaction in (long[])[1, last.Transaction / 3, last.Transaction / 2, last.Transaction - 1, last.Transaction])
        {
            var restored = Restore(StreamPlanner.OfTransaction(store, backups, transaction, context), context);
            var report = await reader.CheckAsync(restored);
            Assert.Empty(report.ProblemsBeside(journal));
            counted.Add(report.Transactions);
            if (transaction == last.Transaction)
            {
                Assert.Equal(journal.Count, report.Transactions);
                Assert.Equal(ImageHash.Of(Database), ImageHash.Of(restored));
            }
        }

        Assert.Equal(counted.Order(), counted);
        Assert.Equal(journal.Count - 1, counted[^2]);
    }

    /// <summary>
    /// Every header field, the schema, the order of the pages, what is free: whatever differed would be of ours. Only the application's change counter goes
    /// on when it begins its log anew, after whoever's checkpoint (https://sqlite.org/fileformat2.html#file_change_counter).
    /// </summary>
    [Fact]
    public async Task A_protected_database_is_byte_for_byte_what_it_is_without_protection()
    {
        var alone = await UseAsync(folder["alone.db"], isProtected: false);
        var beside = await UseAsync(Database, isProtected: true);
        Assert.Equal(alone, beside);
        Assert.Equal(Read(folder["alone.db"]), Read(Database));
        Assert.Empty(Directory.GetFiles(folder.Path, "*.db-*"));

        static byte[] Read(string database)
        {
            const int changeCounter = 24, versionValidFor = 92;
            var bytes = File.ReadAllBytes(database);
            bytes.AsSpan(changeCounter, sizeof(uint)).Clear();
            bytes.AsSpan(versionValidFor, sizeof(uint)).Clear();
            return bytes;
        }

        async Task<(int Committed, int RolledBack, int Refused)> UseAsync(string database, bool isProtected)
        {
            using var application = await Application.StartAsync(
                Options with { DatabasePath = database, Pragmas = ["auto_vacuum = INCREMENTAL", .. Pragmas, "application_id = 77", "user_version = 5"] });
            using var protecting = isProtected ? new Protecting(database, Backups, store) : null;
            var done = (0, 0, 0);
            for (var round = 0; round < 4; round++)
            {
                // So that the log is copied between two rounds.
                _ = protecting?.AwaitStored();
                _ = protecting?.Await(_ => IsCopied(application));
                var (committed, rolledBack, refused, _) = await application.WorkAsync(25);
                done = (done.Item1 + committed, done.Item2 + rolledBack, done.Item3 + refused);
                _ = (await application.ExecuteAsync(round == 2 ? "VACUUM" : "PRAGMA incremental_vacuum(3)")).Value;
            }

            await application.EndAsync();
            Assert.Null(protecting?.Stop());
            return done;
        }
    }

    [Fact]
    public async Task A_stop_and_a_start_leave_no_gap_while_the_application_goes_on()
    {
        using var application = await Application.StartAsync(Options with { Pragmas = [.. Pragmas, "wal_autocheckpoint = 0"] });
        _ = await application.WorkAsync(10);
        for (var round = 0; round < 3; round++)
        {
            using var protecting = new Protecting(Database, Backups, store);
            _ = protecting.AwaitStored();
            _ = await application.WorkAsync(10);
            _ = protecting.AwaitStored();
            Assert.Null(protecting.Stop());
            Assert.Equal(0, protecting.Status.Gaps);

            // Nobody follows these, and the next one must find them.
            _ = await application.WorkAsync(10);
        }

        using (var late = new Protecting(Database, Backups, store))
        {
            _ = late.AwaitStored();
            Assert.Equal(0, late.Status.Gaps);
            await application.EndAsync();
            Assert.Null(late.Stop());
        }

        Assert.Single(store.List(Cancelled).Backups, backup => backup.Type == BackupType.Full);
        await AssertNewestAsync();
    }

    [Fact]
    public async Task A_transaction_says_between_which_moments_it_was_committed()
    {
        using var application = await Application.StartAsync(Options with { Pragmas = [.. Pragmas, "wal_autocheckpoint = 0"] });
        var moments = new List<(DateTimeOffset Before, DateTimeOffset After)>();
        using (var protecting = new Protecting(Database, Backups, store))
        {
            _ = protecting.AwaitStored();
            await CommitAsync();
            _ = protecting.AwaitStored();
            Assert.Null(protecting.Stop());
        }

        await CommitAsync();
        await CommitAsync();
        using (var late = new Protecting(Database, Backups, store))
        {
            _ = late.AwaitStored();
            await CommitAsync();
            _ = late.AwaitStored();
            Assert.Null(late.Stop());
        }

        var transactions = ListTransactions.Run(store, Database, null, null, fault => throw fault, Context(IdentityRing.Empty))
            .OrderBy(one => one.Transaction).TakeLast(4).ToList();
        foreach (var (transaction, (before, after)) in transactions.Zip(moments))
        {
            Assert.InRange(transaction.Timestamp, before.AddMilliseconds(-1), DateTimeOffset.MaxValue);
            Assert.InRange(transaction.Earliest!.Value, DateTimeOffset.MinValue, after);
        }

        // Of what was committed while nobody looked, no more is known than that.
        Assert.True(transactions[1].Earliest <= moments[1].Before && transactions[1].Timestamp >= moments[2].After.AddMilliseconds(-1));
        Assert.Equal((transactions[1].Earliest, transactions[1].Timestamp), (transactions[2].Earliest, transactions[2].Timestamp));
        Assert.InRange(transactions[1].Earliest!.Value, moments[0].Before.AddMilliseconds(-1), moments[1].Before);
        Assert.InRange(transactions[3].Earliest!.Value, transactions[2].Timestamp, transactions[3].Timestamp);
        await application.EndAsync();

        async Task CommitAsync()
        {
            // The protection looks up to now without the next one.
            await Task.Delay(300, Cancelled);
            var before = DateTimeOffset.UtcNow;
            _ = await application.WorkAsync(1);
            moments.Add((before, DateTimeOffset.UtcNow));
        }
    }

    [Fact]
    public async Task What_nobody_followed_and_the_log_no_longer_has_is_a_gap_that_is_told_and_mended()
    {
        using var application = await Application.StartAsync(Options with { Pragmas = [.. Pragmas, "wal_autocheckpoint = 0"] });
        _ = await application.WorkAsync(10);
        using (var protecting = new Protecting(Database, Backups, store))
        {
            _ = protecting.AwaitStored();
        }

        _ = await application.WorkAsync(10);
        _ = await application.CheckpointAsync("TRUNCATE");
        _ = await application.WorkAsync(10);
        using (var next = new Protecting(Database, Backups, store))
        {
            _ = next.AwaitStored();
            Assert.Equal(1, next.Status.Gaps);
            Assert.Contains("one step of its stream", next.Said, StringComparison.Ordinal);
            _ = await application.WorkAsync(5);
            _ = next.AwaitStored();
            await application.EndAsync();
            Assert.Null(next.Stop());
        }

        await AssertNewestAsync();
    }

    /// <summary>As after a kill between the two: the segment that names a backup is stored, the backup is not.</summary>
    [Fact]
    public async Task A_backup_that_had_not_arrived_is_sent_before_anything_is_said_to_be_stored()
    {
        using var application = await Application.StartAsync(Options);
        _ = await application.WorkAsync(10);
        using (var killed = new Protecting(Database, Backups, store))
        {
            _ = killed.AwaitStored();
        }

        var home = new BackupDirectory(Backups, TimeProvider.System);
        var backup = Assert.Single(home.List().Backups);
        var kept = new ProtectionFolder(home, Database);
        kept.Save(kept.Load(out _)! with { Backup = backup.Id, Restorable = 0 }, []);
        foreach (var file in Directory.GetFiles(folder["store"]))
        {
            File.Move(file, file + ".away");
        }

        // Nothing can be put in the place of a folder with something in it.
        var sidecar = Directory.CreateDirectory(Path.Combine(folder["store"], backup.Id + ".json", "in the way")).Parent!;
        _ = await application.WorkAsync(10);
        using (var next = new Protecting(Database, Backups, store))
        {
            var status = next.Await(status => status.State == ProtectionState.StoreUnavailable && status.Lag > TimeSpan.Zero);
            Assert.Equal(0, status.StoredTransaction);
            sidecar.Delete(recursive: true);
            _ = next.AwaitStored();
            Assert.Contains(store.List(Cancelled).Backups, stored => stored.Id == backup.Id);
            await application.EndAsync();
            Assert.Null(next.Stop());
        }

        await AssertNewestAsync();
    }

    [Fact]
    public async Task A_clone_does_not_start_and_the_one_that_takes_over_fences_the_other()
    {
        using var application = await Application.StartAsync(Options);
        using (var first = new Protecting(Database, Backups, store))
        {
            _ = first.AwaitStored();
        }

        // The clone has the state of this moment; the original goes on.
        _ = Tool.Require("cp").Run("-r", Backups, folder["clone"]).EnsureSuccess();
        using (var first = new Protecting(Database, Backups, store))
        {
            _ = await application.WorkAsync(5);
            _ = first.AwaitStored();
        }

        using (var clone = new Protecting(Database, folder["clone"], store))
        {
            Assert.Equal(BackupErrorId.StreamNotOurs, clone.End()!.ErrorId);
        }

        using (var clone = new Protecting(Database, folder["clone"], store, new ProtectionOptions { TakesOver = true }))
        {
            _ = await application.WorkAsync(5);
            Assert.Equal(2, clone.AwaitStored().Timeline);
            Assert.Null(clone.Stop());
        }

        using (var first = new Protecting(Database, Backups, store))
        {
            Assert.Equal(BackupErrorId.StreamNotOurs, first.End()!.ErrorId);
        }

        await application.EndAsync();
        await AssertNewestAsync();
    }

    /// <summary>The backups of the old stream go along as parents, with places in it; their numbers are given again in the new one.</summary>
    [Fact]
    public async Task A_stream_in_another_store_has_nothing_to_do_with_the_first_one()
    {
        using var application = await Application.StartAsync(Options);
        var options = new ProtectionOptions { CreatesContainer = true, BackupInterval = TimeSpan.FromSeconds(1) };
        using (var first = new Protecting(Database, Backups, store, options))
        {
            for (var round = 0; round < 3; round++)
            {
                var before = first.AwaitStored().LastBackup;
                _ = await application.WorkAsync(5);
                _ = first.Await(status => status.LastBackup != before);
            }

            _ = first.AwaitStored();
            Assert.Null(first.Stop());
        }

        _ = await application.WorkAsync(7);
        var location = new StoreLocation { Provider = CloudProvider.Directory, Container = folder["other"] };
        using var other = new StoreCatalog(location, new StoreOptions(), TimeProvider.System);
        var counts = new Dictionary<long, int>();
        using (var second = new Protecting(Database, Backups, other))
        {
            for (var round = 0; round < 6; round++)
            {
                var status = second.AwaitStored();
                counts[status.Transaction] = TransactionRecord.Read(Options.JournalPath).Count;
                _ = await application.WorkAsync(5);
                _ = second.Await(later => later.Transaction > status.Transaction);
            }

            _ = second.AwaitStored();
            await application.EndAsync();
            Assert.Null(second.Stop());
        }

        var context = Context(IdentityRing.Empty);
        var backups = BackupChain.WithDepths(other.List(Cancelled).Backups);
        Assert.Contains(backups, backup => StreamPosition.Of(backup)!.Transaction > 0);
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var journal = TransactionRecord.Read(Options.JournalPath);
        foreach (var (transaction, count) in counts)
        {
            var report = await reader.CheckAsync(Restore(StreamPlanner.OfTransaction(other, backups, transaction, context), context, other));
            Assert.Empty(report.ProblemsBeside([.. journal.Take(count)]));
            Assert.Equal(count, report.Transactions);
        }
    }

    [Fact]
    public async Task A_drill_of_the_stream_restores_the_newest_transaction_and_misses_what_was_reported_as_stored()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, Backups, store))
        {
            for (var round = 0; round < 4; round++)
            {
                _ = protecting.AwaitStored();
                _ = await application.WorkAsync(3);
            }

            _ = protecting.AwaitStored();
            await application.EndAsync();
            Assert.Null(protecting.Stop());
        }

        var good = Drill();
        Assert.True(good.Passed, good.Reason);
        Assert.True(good.Transaction > 0);
        Assert.Equal(good.StoredTransaction, good.Transaction);
        Assert.Equal(new FileInfo(Database).Length, good.RestoredBytes);

        var segments = Directory.GetFiles(folder["store"], "seg_*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        File.Move(segments[^1], folder["the last one"]);
        var cut = Drill();
        Assert.Equal((false, BackupErrorId.RestoreDrillFailed, good.Transaction), (cut.Passed, cut.ErrorId, cut.StoredTransaction));
        Assert.Contains($"but its protection has reported {good.Transaction} as stored", cut.Reason, StringComparison.Ordinal);
        File.Move(folder["the last one"], segments[^1]);

        File.Delete(segments[^2]);
        var broken = Drill();
        Assert.Equal((false, BackupErrorId.StreamHole, null), (broken.Passed, broken.ErrorId, broken.Transaction));

        RestoreDrill Drill() => BackupEngine.Drill(
            store, BackupChain.WithDepths(store.List(Cancelled).Backups), new BackupDirectory(Backups, TimeProvider.System), [], Context(IdentityRing.Empty));
    }

    /// <summary>As after a kill between a backup and its segment: the numbers of its place go to other transactions.</summary>
    [Fact]
    public async Task A_backup_whose_transactions_were_not_stored_loses_its_place_in_the_stream()
    {
        using var application = await Application.StartAsync(Options);
        await ProtectAsync(application);
        var home = new BackupDirectory(Backups, TimeProvider.System);
        var backup = Assert.Single(home.List().Backups);
        var position = StreamPosition.Of(backup)!;
        var claimed = (position with { Number = position.Number + 1000, Transaction = position.Transaction + 1000 }).ToEntries();
        Assert.True(home.TryUpdate(backup, current => current with { Metadata = claimed }, schemaChecksum: null, Cancelled));
        using var next = new Protecting(Database, Backups, store);
        _ = next.AwaitStored();
        Assert.Null(StreamPosition.Of(home.Get(backup.Id)));
        await EndAsync(application, next);
    }

    [Fact]
    public async Task A_stream_whose_backups_were_removed_from_the_store_continues_from_a_new_one()
    {
        using var application = await Application.StartAsync(Options);
        await ProtectAsync(application);
        foreach (var file in Directory.GetFiles(folder["store"]))
        {
            File.Delete(file);
        }

        using var next = new Protecting(Database, Backups, store);
        _ = next.Await(status => status.Gaps == 1);
        _ = next.AwaitStored();
        Assert.Contains("has no backup any more from which its transactions lead on", next.Said, StringComparison.Ordinal);
        await EndAsync(application, next);
    }

    [Fact]
    public async Task A_start_while_the_store_is_away_follows_at_once_and_misses_nothing()
    {
        using var application = await ProtectedWithoutStoreAsync();
        using var next = new Protecting(Database, Backups, store, new ProtectionOptions());
        _ = next.Await(status => status.State == ProtectionState.StoreUnavailable);
        _ = await application.WorkAsync(20);
        _ = (await application.ExecuteAsync("PRAGMA wal_checkpoint(RESTART)")).Value;
        _ = await application.WorkAsync(20);
        _ = next.Await(status => status.Lag > TimeSpan.Zero && status.Transaction > status.StoredTransaction && status.StoredTransaction > 0);
        await GetStoreBackAsync(application, next);
    }

    /// <summary>What is only a hint, and may have been put there by others, keeps nobody from protecting.</summary>
    [Fact]
    public async Task A_status_that_cannot_be_read_does_not_keep_a_protection_from_its_start()
    {
        using var application = await Application.StartAsync(Options);
        await ProtectAsync(application);
        var status = Directory.GetFiles(Backups, "status.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(folder["victim"], "precious");
        File.Delete(status);
        File.CreateSymbolicLink(status, folder["victim"]);
        using var next = new Protecting(Database, Backups, store);

        // Its own status takes the link's place.
        for (var tick = 0; new FileInfo(status).LinkTarget is not null && tick < 600; tick++)
        {
            await Task.Delay(100, Cancelled);
        }

        _ = next.AwaitStored();
        Assert.Contains("has shown last is not taken up", next.Said, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(folder["victim"]));
        await application.EndAsync();
        Assert.Null(next.Stop());
    }

    /// <summary>Such as that of a disk which is not mounted: everything would go to the disk below from then on.</summary>
    [Fact]
    public async Task A_start_creates_no_empty_store_in_the_place_of_the_one_that_it_had()
    {
        using var application = await ProtectedWithoutStoreAsync();
        using var next = new Protecting(Database, Backups, store);
        var status = next.Await(status => status.State == ProtectionState.StoreUnavailable);
        Assert.Contains("may not be mounted", status.Problem, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["store"]));
        _ = await application.WorkAsync(5);
        await GetStoreBackAsync(application, next);
    }

    [Fact]
    public async Task A_stop_while_the_store_has_not_answered_since_the_start_says_what_is_not_stored()
    {
        using var application = await ProtectedWithoutStoreAsync();
        using (var next = new Protecting(Database, Backups, store, new ProtectionOptions()))
        {
            _ = await application.WorkAsync(5);
            _ = next.Await(status => status.State == ProtectionState.StoreUnavailable && status.Lag > TimeSpan.Zero);
            var error = next.StopByRequest()!;
            Assert.Equal(BackupErrorId.StreamBehind, error.ErrorId);
            Assert.Contains("since it started", error.Message, StringComparison.Ordinal);
        }

        Directory.Move(folder["away"], folder["store"]);
        using var last = new Protecting(Database, Backups, store);
        _ = last.AwaitStored();
        await EndAsync(application, last);
    }

    /// <summary>A kill before another backup has taken its place must not make it look as if it had been sent.</summary>
    [Fact]
    public async Task A_backup_that_was_removed_before_it_was_sent_stays_noted_until_another_one_has_its_place()
    {
        using var application = await Application.StartAsync(Options);
        await ProtectAsync(application);
        var home = new BackupDirectory(Backups, TimeProvider.System);
        var backup = Assert.Single(home.List().Backups);
        var kept = new ProtectionFolder(home, Database);
        kept.Save(kept.Load(out _)! with { Backup = backup.Id, Restorable = 0 }, []);
        foreach (var file in Directory.GetFiles(Backups).Concat(Directory.GetFiles(folder["store"])))
        {
            File.Delete(file);
        }

        string? noted = null;
        using var next = new Protecting(Database, Backups, store, onEvent: told =>
        {
            if (told is OperationMessage { IsWarning: true } warning && warning.Text.Contains("was removed before it was sent", StringComparison.Ordinal))
            {
                noted = kept.Load(out _)!.Backup;
            }
        });
        Assert.Equal(1, next.AwaitStored().Gaps);
        Assert.Equal(backup.Id, noted);
        Assert.Null(kept.Load(out _)!.Backup);
        await EndAsync(application, next);
    }

    [Fact]
    public async Task The_log_of_a_database_at_rest_is_emptied_although_its_application_is_there()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, Backups, store);
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(5);
        Assert.NotEqual(0, new FileInfo(Database + "-wal").Length);
        _ = protecting.Await(_ => new FileInfo(Database + "-wal").Length == 0);
        await EndAsync(application, protecting);
    }

    [Fact]
    public async Task Transactions_segments_and_bytes_are_counted_exactly()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, Backups, store);
        var before = protecting.AwaitStored();
        for (var number = 1; number <= 4; number++)
        {
            _ = (await application.ExecuteAsync($"CREATE TABLE made{number}(x)")).Value;
            Assert.Equal(before.Transaction + number, protecting.AwaitStored().StoredTransaction);
        }

        var status = protecting.AwaitStored();
        using var stream = StreamStore.Open(store.Location, Database, new StoreOptions());
        var segments = await stream.ListAsync(timeline: null, 1, Cancelled).ToListAsync(Cancelled);
        Assert.Equal([1, 2, 3, 4, 5], segments.Select(segment => segment.Name.Number));
        Assert.Equal((5, 5, segments.Sum(segment => segment.Info.Length)), (status.Segment, status.Segments, status.SegmentBytes));
        Assert.True(status.DelayMedian > TimeSpan.Zero && status.DelayMedian <= status.DelayP99 && status.DelayP99 <= status.DelayWorst);
        await EndAsync(application, protecting);
    }

    [Fact]
    public async Task A_writer_that_meets_another_ones_segment_stops_and_overwrites_nothing()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, Backups, store);
        var status = protecting.AwaitStored();
        using var stream = StreamStore.Open(store.Location, Database, new StoreOptions());
        var seal = Segment.Write(
            new SegmentHeader
            {
                Kind = SegmentKind.Seal,
                Timeline = 1,
                Number = status.Segment + 1,
                FirstTransaction = status.Transaction + 1,
                LastTransaction = status.Transaction,
                Time = DateTimeOffset.UnixEpoch,
                PageSize = 4096,
                PageCount = 1,
                Previous = default,
                Digest = default,
                NextTimeline = 2,
            },
            [],
            encryption: null);
        Assert.Equal(PutOutcome.Stored, await stream.PutAsync(seal, Cancelled));

        _ = await application.WorkAsync(1);
        Assert.Equal(BackupErrorId.StreamFenced, protecting.End()!.ErrorId);
        Assert.Equal(ProtectionState.Fenced, protecting.Status.State);
        Assert.Equal(seal.Sha256, (await stream.FindAsync(seal.Name, Cancelled))!.Info.Sha256);
        var told = new EventHistory(new BackupDirectory(Backups, TimeProvider.System)).Read(new EventQuery(), Context(IdentityRing.Empty))
            .Single(one => one.Operation == BackupOperation.StreamFence);
        Assert.Equal((BackupEventStatus.Failed, BackupErrorId.StreamFenced), (told.Status, told.ErrorId));
        Assert.Contains(seal.Name.ToString(), told.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(0, (await application.WorkAsync(5)).Refused);
    }

    [Fact]
    public async Task Frames_that_pad_a_log_and_a_torn_index_are_read_through()
    {
        var options = Options with { UriParameters = "psow=0", Pragmas = ["journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0"] };
        using var dying = await Application.StartAsync(options);
        using var protecting = new Protecting(Database, Backups, store, new ProtectionOptions { CreatesContainer = true, Checkpoints = false });
        var before = protecting.AwaitStored();
        var done = await dying.WorkAsync(30);
        var padded = protecting.AwaitStored();
        Assert.Equal((done.Committed, 0), (padded.Transaction - before.Transaction, padded.Gaps));
        await dying.TearIndexAndDieAsync();
        using var application = await Application.StartAsync(options with { Seed = 5 });
        done = await application.WorkAsync(30);
        var torn = protecting.AwaitStored();
        Assert.Equal((done.Committed, 0), (torn.Transaction - padded.Transaction, torn.Gaps));
        await EndAsync(application, protecting);
    }

    [Fact]
    public async Task A_store_that_is_away_loses_nothing_even_if_more_is_written_than_memory_holds()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, Backups, store))
        {
            _ = protecting.AwaitStored();
            Directory.Move(folder["store"], folder["away"]);
            await File.WriteAllTextAsync(folder["store"], "not a folder", Cancelled);
            _ = await application.WorkAsync(10);
            _ = protecting.Await(status => status.State == ProtectionState.StoreUnavailable);
            await WriteMoreThanMemoryHoldsAsync(application);
            _ = await application.WorkAsync(10);
            File.Delete(folder["store"]);
            Directory.Move(folder["away"], folder["store"]);
            _ = protecting.AwaitStored();
            Assert.Equal(0, protecting.Status.Gaps);
            _ = await application.WorkAsync(10);
            _ = protecting.AwaitStored();
            await application.EndAsync();
            Assert.Null(protecting.Stop());
        }

        await AssertNewestAsync();
    }

    [Fact]
    public async Task What_a_stop_finds_not_stored_yet_is_stored_although_nobody_reads_messages_any_more()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, Backups, store))
        {
            _ = protecting.AwaitStored();
            await WriteMoreThanMemoryHoldsAsync(application);
            Assert.Null(protecting.Stop());
            Assert.Equal(protecting.Status.Transaction, protecting.Status.StoredTransaction);
            Assert.Equal(0, protecting.Status.Gaps);
        }

        await application.EndAsync();
        await AssertNewestAsync();
    }

    [Fact]
    public async Task A_place_that_cannot_be_kept_stores_nothing_until_it_can_and_makes_no_further_backup()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, Backups, store))
        {
            var before = protecting.AwaitStored();
            var home = new BackupDirectory(Backups, TimeProvider.System);
            var place = Path.Combine(Assert.Single(Directory.GetDirectories(home.Layout.ProtectionFolder)), "place");

            // Nothing can be renamed over a folder with something in it.
            File.Move(place, place + ".away");
            var obstacle = Directory.CreateDirectory(Path.Combine(place, "in the way")).Parent!;
            await WriteMoreThanMemoryHoldsAsync(application);
            _ = protecting.Await(status => status.Problem?.Contains("cannot be written", StringComparison.Ordinal) == true);
            _ = await application.WorkAsync(10);
            await Task.Delay(TimeSpan.FromSeconds(3), Cancelled);
            Assert.Equal(before.Segment, protecting.Status.Segment);
            obstacle.Delete(recursive: true);
            _ = protecting.AwaitStored();
            Assert.Equal(0, protecting.Status.Gaps);
            Assert.Equal(2, home.List().Backups.Count);
            await application.EndAsync();
            Assert.Null(protecting.Stop());
        }

        await AssertNewestAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_that_cannot_store_everything_says_so_and_the_next_start_stores_it(bool byRequest)
    {
        using var application = await Application.StartAsync(Options with { Pragmas = [.. Pragmas, "wal_autocheckpoint = 0"] });
        using (var protecting = new Protecting(
            Database, Backups, store, new ProtectionOptions { CreatesContainer = true, StopTimeout = TimeSpan.FromSeconds(1) }))
        {
            _ = protecting.AwaitStored();
            Directory.Move(folder["store"], folder["away"]);
            _ = await application.WorkAsync(10);
            _ = protecting.Await(status => status.State == ProtectionState.StoreUnavailable);
            var error = (byRequest ? protecting.StopByRequest() : protecting.Stop())!;
            Assert.Equal(BackupErrorId.StreamBehind, error.ErrorId);
            Assert.Contains("could not be stored", error.Message, StringComparison.Ordinal);
        }

        using (var next = new Protecting(Database, Backups, store, new ProtectionOptions()))
        {
            // It worked here before, so it waits.
            _ = next.Await(status => status.State == ProtectionState.StoreUnavailable);
            Directory.Move(folder["away"], folder["store"]);
            _ = next.AwaitStored();
            Assert.Equal(0, next.Status.Gaps);
            await application.EndAsync();
            Assert.Null(next.Stop());
        }

        await AssertNewestAsync();
    }

    [Theory]
    [InlineData("rename")]
    [InlineData("delete")]
    public async Task Another_database_in_its_place_continues_the_stream_and_is_not_harmed(string way)
    {
        using (var maker = await Application.StartAsync(Options with { DatabasePath = folder["other.db"], Seed = 5 }))
        {
            _ = await maker.WorkAsync(50);
            await maker.EndAsync();
        }

        using (var application = await Application.StartAsync(Options))
        {
            _ = await application.WorkAsync(20);
            await application.EndAsync();
        }

        using (var protecting = new Protecting(Database, Backups, store))
        {
            _ = protecting.AwaitStored();
            if (way == "delete")
            {
                File.Delete(Database);
                _ = protecting.Await(status => status.State == ProtectionState.Waiting);
            }

            File.Move(folder["other.db"], Database, overwrite: true);
            File.Copy(ApplicationOptions.JournalOf(folder["other.db"]), Options.JournalPath, overwrite: true);
            _ = protecting.Await(status => status.Gaps == 1);
            _ = protecting.AwaitStored();
            using var application = await Application.StartAsync(Options with { Seed = 6 });
            _ = await application.WorkAsync(20);
            _ = protecting.AwaitStored();
            await application.EndAsync();
            Assert.Null(protecting.Stop());
        }

        await AssertNewestAsync();
    }

    /// <summary>No file has them any more, so the store must get them when it is back, before anything else.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transactions_that_were_read_are_stored_although_their_database_is_gone(bool isReplaced)
    {
        using var application = await Application.StartAsync(Options);
        _ = await application.WorkAsync(5);
        using var protecting = new Protecting(Database, Backups, store);
        _ = protecting.AwaitStored();
        Directory.Move(folder["store"], folder["away"]);
        _ = await application.WorkAsync(30);
        await application.EndAsync();
        var journal = TransactionRecord.Read(Options.JournalPath);
        var looked = DateTimeOffset.UtcNow.AddMilliseconds(50);
        var read = protecting.Await(status => status.State == ProtectionState.StoreUnavailable && status.LastLook > looked).Transaction;
        File.Delete(Database);
        _ = protecting.Await(status => status.Transaction > read);
        if (isReplaced)
        {
            using var other = await Application.StartAsync(Options with { Seed = 7 });
            _ = await other.WorkAsync(3);
            await other.EndAsync();
        }

        Directory.Move(folder["away"], folder["store"]);
        var status = isReplaced ? protecting.AwaitStored() : protecting.Await(status => status.StoredTransaction == read);
        Assert.Equal(1, status.Gaps);
        Assert.Null(protecting.Stop());

        var context = Context(IdentityRing.Empty);
        var restored = Restore(StreamPlanner.OfTransaction(store, BackupChain.WithDepths(store.List(Cancelled).Backups), read, context), context);
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var report = await reader.CheckAsync(restored);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.Equal(journal.Count, report.Transactions);
    }

    /// <summary>The process ends while the store is away, before a backup could mend the gap; the log still has the place where it was.</summary>
    [Fact]
    public async Task A_gap_that_no_backup_has_mended_is_known_to_the_next_start()
    {
        using var application = await Application.StartAsync(Options with { Pragmas = [.. Pragmas, "wal_autocheckpoint = 0"] });
        _ = await application.WorkAsync(5);
        using (var protecting = new Protecting(
            Database, Backups, store, new ProtectionOptions { CreatesContainer = true, StopTimeout = TimeSpan.FromSeconds(1), Checkpoints = false }))
        {
            _ = protecting.AwaitStored();
            Directory.Move(folder["store"], folder["away"]);
            _ = await application.WorkAsync(5);
            _ = protecting.Await(status => status.State == ProtectionState.StoreUnavailable);
            File.Move(Database, folder["other.db"]);
            _ = protecting.Await(status => status.Gaps == 1);
            File.Move(folder["other.db"], Database);
            var error = protecting.Stop()!;
            Assert.Equal(BackupErrorId.StreamBehind, error.ErrorId);
            Assert.Contains("may not be in the database any more", error.Message, StringComparison.Ordinal);
        }

        Directory.Move(folder["away"], folder["store"]);
        using (var next = new Protecting(Database, Backups, store))
        {
            Assert.Equal(1, next.AwaitStored().Gaps);
            Assert.Contains("the file is no longer there", next.Said, StringComparison.Ordinal);
            await EndAsync(application, next);
        }

        using (var last = new Protecting(Database, Backups, store))
        {
            Assert.Equal(0, last.AwaitStored().Gaps);
            Assert.Null(last.Stop());
        }
    }

    [Fact]
    public async Task Another_name_that_the_file_gets_is_told_for_as_long_as_it_is_there()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, Backups, store);
        _ = protecting.AwaitStored();
        Tool.Require("ln").Run(Database, folder["other name.db"]).EnsureSuccess();
        _ = await application.WorkAsync(1);
        var status = protecting.Await(status => status.Problem is not null);
        Assert.Contains("hard link", status.Problem, StringComparison.Ordinal);
        Assert.Contains(status.Problem!, protecting.Said, StringComparison.Ordinal);
        Assert.Equal(ProtectionState.Following, status.State);

        File.Delete(folder["other name.db"]);
        _ = await application.WorkAsync(1);
        _ = protecting.Await(status => status.Problem is null);
        await EndAsync(application, protecting);
    }

    [Fact]
    public async Task A_database_that_is_not_in_WAL_mode_is_refused_and_not_changed()
    {
        using var application = await Application.StartAsync(Options with { Pragmas = ["journal_mode = DELETE"] });
        _ = await application.WorkAsync(3);
        await application.EndAsync();
        var before = ImageHash.Of(Database);
        using var protecting = new Protecting(Database, Backups, store);
        var error = protecting.End()!;
        Assert.Equal(BackupErrorId.ProtectionRefused, error.ErrorId);
        Assert.Contains("journal_mode = WAL", error.Message, StringComparison.Ordinal);
        Assert.Contains(Database, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, ImageHash.Of(Database));
        Assert.Empty(Directory.GetFiles(folder.Path, "app.db-*"));
    }

    [Fact]
    public async Task A_database_that_an_application_keeps_to_itself_is_refused_for_that_and_its_application_goes_on()
    {
        using var application = await Application.StartAsync(Options with { Pragmas = ["locking_mode = EXCLUSIVE", .. Pragmas] });
        _ = await application.WorkAsync(3);
        using (var protecting = new Protecting(Database, Backups, store))
        {
            var error = protecting.End()!;
            Assert.Equal((BackupErrorId.SourceLocked, Database), (error.ErrorId, error.Target));
            Assert.Contains("PRAGMA locking_mode = EXCLUSIVE", error.Message, StringComparison.Ordinal);
            Assert.Equal((ProtectionState.Ended, BackupErrorId.SourceLocked), (protecting.Status.State, protecting.Status.ErrorId));
        }

        Assert.Empty(new BackupDirectory(Backups, TimeProvider.System).List().Backups);
        Assert.Equal(0, (await application.WorkAsync(5)).Refused);
        await application.EndAsync();
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        Assert.Empty((await reader.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(Options.JournalPath)));
    }

    [Fact]
    public async Task A_database_that_goes_away_as_its_protection_starts_is_an_error_that_says_so()
    {
        var home = new BackupDirectory(Backups, TimeProvider.System);
        using var turns = new BackupTurns();
        using var rounds = new RestRounds(TimeProvider.System);
        var context = Context(IdentityRing.Empty);
        var options = new ProtectionOptions { CreatesContainer = true };
        using var protection = new DatabaseProtection(
            Database, home, store, options, turns, rounds, new KnownPositions(), new StoredStarts(store, context), context);
        var error = await Assert.ThrowsAsync<BackupException>(protection.RunAsync);
        Assert.Equal(BackupErrorId.SourceNotFound, error.ErrorId);
        Assert.Equal(BackupErrorId.SourceNotFound, Assert.Single(ProtectionHost.Find(home)).ErrorId);
    }

    /// <summary>SQLite keeps a log beside each name, and only one of them would be followed.</summary>
    [Fact]
    public async Task A_database_with_another_name_is_refused()
    {
        using (var application = await Application.StartAsync(Options))
        {
            await application.EndAsync();
        }

        Tool.Require("ln").Run(Database, folder["other name.db"]).EnsureSuccess();
        var error = Assert.Throws<BackupException>(() => new Protecting(Database, Backups, store));
        Assert.Equal(BackupErrorId.ProtectionRefused, error.ErrorId);
        Assert.Contains("hard links", error.Message, StringComparison.Ordinal);
    }

    /// <summary>An empty store in the place of one that is away would take the next transactions of the first one.</summary>
    [Fact]
    public async Task A_new_database_beside_one_whose_store_is_away_does_not_make_it_anew()
    {
        using var application = await Application.StartAsync(Options);
        using var second = await Application.StartAsync(Options with { DatabasePath = folder["second.db"] });
        using (var protecting = new Protecting(Database, Backups, store))
        {
            _ = protecting.AwaitStored();
            Assert.Null(protecting.Stop());
        }

        Directory.Move(folder["store"], folder["away"]);
        var home = new BackupDirectory(Backups, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var context = Context(IdentityRing.Empty) with { Cancellation = stop.Token };
        var entries = ProtectionHost.Resolve([(Database, home), (folder["second.db"], home)], store, context);
        var options = new ProtectionOptions { CreatesContainer = true, StopTimeout = TimeSpan.FromSeconds(1) };
        var running = Task.Run(() => ProtectionHost.Run(entries, store, options, context), Cancelled);
        await UntilAsync(home, folder["second.db"], one => one.State == ProtectionState.Ended);

        Assert.False(Directory.Exists(folder["store"]));
        Directory.Move(folder["away"], folder["store"]);
        _ = await application.WorkAsync(3);
        await UntilAsync(home, Database, one => one is { State: ProtectionState.Following, StoredTransaction: >= 1, Lag.Ticks: 0 });

        await stop.CancelAsync();
        var ended = await running;
        Assert.Equal(BackupErrorId.CloudContainerNotFound, ended.Single(one => one.Database == folder["second.db"]).Fault?.ErrorId);
        Assert.Null(ended.Single(one => one.Database == Database).Fault);
    }

    private static async Task UntilAsync(BackupDirectory home, string database, Predicate<BackupProtection> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        while (ProtectionHost.Find(home).FirstOrDefault(one => one.Database == database) is not { } status || !isSo(status))
        {
            Assert.False(patience.IsCancellationRequested, $"It did not come: {string.Join('\n', ProtectionHost.Find(home))}");

            // A status is a file, which the other side writes when it has something to show.
            await Task.Delay(50, Cancelled);
        }
    }

    [Fact]
    public async Task Two_processes_do_not_protect_one_database_with_one_directory()
    {
        using var application = await Application.StartAsync(Options);
        using var first = new Protecting(Database, Backups, store);
        _ = first.AwaitStored();
        Assert.Equal(BackupErrorId.ProtectionRunning, Assert.Throws<BackupException>(() => new Protecting(Database, Backups, store)).ErrorId);
    }

    [Fact]
    public async Task A_store_that_was_emptied_gets_a_new_beginning()
    {
        using var application = await Application.StartAsync(Options);
        var brief = new ProtectionOptions { CreatesContainer = true, StopTimeout = TimeSpan.FromSeconds(1) };
        using (var protecting = new Protecting(Database, Backups, store, brief))
        {
            _ = await application.WorkAsync(5);
            _ = protecting.AwaitStored();
            _ = await application.WorkAsync(5);
            Directory.Move(folder["store"], folder["away"]);
            _ = await application.WorkAsync(5);
        }

        _ = Directory.CreateDirectory(folder["store"]);
        using (var next = new Protecting(Database, Backups, store))
        {
            _ = next.AwaitStored();
            Assert.Equal(1, next.Status.Gaps);
            await application.EndAsync();
            Assert.Null(next.Stop());
        }

        await AssertNewestAsync();
    }

    /// <summary>The hourly one; it is held at its first page until the stop was asked for.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_while_an_ordinary_backup_is_made_leaves_no_half_of_it_and_the_next_start_goes_on(bool byRequest)
    {
        var options = new ProtectionOptions { CreatesContainer = true, BackupInterval = TimeSpan.FromSeconds(1) };
        var home = new BackupDirectory(Backups, TimeProvider.System);
        using var application = await Application.StartAsync(Options with { Pragmas = [.. Pragmas, "wal_autocheckpoint = 0"] });
        _ = await application.WorkAsync(10);
        using var making = new ManualResetEventSlim();
        using var stopping = new ManualResetEventSlim();
        var hasBegun = false;
        List<string> whole;
        using (var protecting = new Protecting(Database, Backups, store, options, onEvent: HoldBackup))
        {
            _ = protecting.AwaitStored();
            whole = Files();
            hasBegun = true;
            _ = await application.WorkAsync(10);
            Assert.True(making.Wait(TimeSpan.FromMinutes(1), Cancelled));
            var before = protecting.Status.LastBackup;
            var ended = Task.Run(() => byRequest ? protecting.StopByRequest() : protecting.Stop(), Cancelled);
            await Task.Delay(ItsNoticing, Cancelled);
            stopping.Set();
            Assert.Null(await ended.WaitAsync(TimeSpan.FromMinutes(1), Cancelled));
            Assert.Equal((ProtectionState.Stopped, before), (protecting.Status.State, protecting.Status.LastBackup));
        }

        var only = Assert.Single(home.List().Backups);
        Assert.Equal(only.Id, Assert.Single(store.List(Cancelled).Backups).Id);
        Assert.Equal(whole, Files());
        Assert.Empty(Directory.GetFileSystemEntries(home.Layout.TemporaryParent));

        _ = await application.WorkAsync(10);
        using (var next = new Protecting(Database, Backups, store, options))
        {
            _ = next.AwaitStored();
            _ = next.Await(status => status.LastBackup is not null && status.LastBackup != only.Id);
            _ = next.AwaitStored();
            Assert.Equal(0, next.Status.Gaps);
            await application.EndAsync();
            Assert.Null(next.Stop());
        }

        Assert.InRange(store.List(Cancelled).Backups.Count, 2, 20);
        await AssertNewestAsync();

        // All that is kept of backups, here and in the store.
        List<string> Files() =>
        [
            .. new[] { Backups, folder["store"] }
                .SelectMany(root => Directory.GetFiles(root, "*", SearchOption.AllDirectories))
                .Where(file => !file.Contains("stream-", StringComparison.Ordinal) && !file.Contains("history.db", StringComparison.Ordinal)
                    && !file.StartsWith(home.Layout.ProtectionFolder, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];

        void HoldBackup(OperationEvent told)
        {
            if (hasBegun && told is OperationProgress && !stopping.IsSet)
            {
                making.Set();
                stopping.Wait(TimeSpan.FromMinutes(1), CancellationToken.None);
            }
        }
    }

    private static bool IsCopied(Application application)
    {
        // https://sqlite.org/walformat.html#the_wal_index_file_format: mxFrame and nBackfill.
        var index = application.ReadIndexAsync().GetAwaiter().GetResult();
        return BitConverter.ToUInt32(index, 16) == BitConverter.ToUInt32(index, 96);
    }

    private static async Task WriteMoreThanMemoryHoldsAsync(Application application)
    {
        _ = (await application.ExecuteAsync("CREATE TABLE bulk(b)")).Value;
        _ = (await application.ExecuteAsync(
            "INSERT INTO bulk WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 90) SELECT randomblob(1000000) FROM n")).Value;
    }

    private static OperationContext Context(IdentityRing identities) => new(TimeProvider.System, _ => { }, Cancelled) { Identities = identities };

    /// <summary>Plans the newest moment. If that is an ordinary backup, nothing of the stream is nearer.</summary>
    private StreamPlan Newest(IReadOnlyList<BackupMetadata> backups, OperationContext context) =>
        StreamPlanner.AtMoment(store, backups, DateTimeOffset.UtcNow.AddDays(1), context)
        ?? StreamPlanner.OfTransaction(store, backups, backups.Max(backup => StreamPosition.Of(backup)?.Transaction ?? 0), context);

    /// <summary>Protects the database for a while, from a first backup on.</summary>
    private async Task ProtectAsync(Application application)
    {
        using var protecting = new Protecting(Database, Backups, store);
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(5);
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
    }

    /// <summary>Its protection was started once, and the disk of the store is gone since.</summary>
    private async Task<Application> ProtectedWithoutStoreAsync()
    {
        var application = await Application.StartAsync(Options);
        await ProtectAsync(application);
        Directory.Move(folder["store"], folder["away"]);
        return application;
    }

    private async Task GetStoreBackAsync(Application application, Protecting protecting)
    {
        Directory.Move(folder["away"], folder["store"]);
        Assert.Equal(0, protecting.AwaitStored().Gaps);
        await EndAsync(application, protecting);
    }

    /// <summary>Works a last time and ends both; then everything must be in the store.</summary>
    private async Task EndAsync(Application application, Protecting protecting)
    {
        _ = await application.WorkAsync(5);
        await application.EndAsync();
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
        await AssertNewestAsync();
    }

    private string Restore(StreamPlan plan, OperationContext context, StoreCatalog? from = null)
    {
        var target = folder[$"restored {plan.Transaction}.db"];
        var empty = new BackupDirectory(folder["empty"], TimeProvider.System);
        var options = new RestoreOptions { Destination = target, Stream = plan, SafetyDirectory = empty };
        _ = BackupEngine.Restore(new BackupSource(plan.Start, BackupCatalog.Of(from ?? store, empty)), options, context);
        return target;
    }

    /// <summary>Restores the newest moment from the store alone, and compares it with the database, which nobody has open any more.</summary>
    private async Task AssertNewestAsync()
    {
        var context = Context(IdentityRing.Empty);
        var restored = Restore(Newest(BackupChain.WithDepths(store.List(Cancelled).Backups), context), context);
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(restored));
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var journal = TransactionRecord.Read(Options.JournalPath);
        var report = await reader.CheckAsync(restored);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.Equal(journal.Count, report.Transactions);
    }
}
