using System.Collections.Concurrent;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>The databases of one process take turns with their backups, and none waits for one that does not come to an end.</summary>
public sealed class BackupTurnsTests : IDisposable
{
    private const int Many = 20;

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Few_work_at_a_time_and_those_that_wait_show_that_they_live()
    {
        using var turns = new BackupTurns();
        using var going = new ManualResetEventSlim();
        var lives = new ConcurrentDictionary<int, bool>();
        int working = 0, most = 0;
        var all = Enumerable.Range(0, Many).Select(one => turns.TakeAsync(
            () =>
            {
                var now = Interlocked.Increment(ref working);
                InterlockedMax(ref most, now);
                going.Wait(Cancelled);
                Interlocked.Decrement(ref working);
                return lives.ContainsKey(one);
            },
            () =>
            {
                lives[one] = true;
                if (lives.Count >= Many - most)
                {
                    going.Set();
                }
            },
            Cancelled)).ToList();
        var haveWaited = await Task.WhenAll(all).WaitAsync(Hang, Cancelled);
        Assert.InRange(most, 2, 4);
        Assert.Equal(Many - most, haveWaited.Count(hasWaited => hasWaited));
    }

    [Fact]
    public async Task One_that_fails_or_is_stopped_leaves_its_turn_to_the_others()
    {
        using var turns = new BackupTurns();
        using var stop = new CancellationTokenSource();
        var failing = Enumerable.Range(0, Many)
            .Select(_ => turns.TakeAsync<int>(() => throw new InvalidDataException("It fails."), () => { }, Cancelled)).ToList();
        foreach (var one in failing)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => one.WaitAsync(Hang, Cancelled));
        }

        var stopped = Enumerable.Range(0, Many).Select(_ => turns.TakeAsync<int>(
            () =>
            {
                stop.Token.WaitHandle.WaitOne();
                throw new OperationCanceledException(stop.Token);
            },
            () => { },
            stop.Token)).ToList();
        await stop.CancelAsync();
        foreach (var one in stopped)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one.WaitAsync(Hang, Cancelled));
        }

        var next = Enumerable.Range(0, Many).Select(one => turns.TakeAsync(() => one, () => { }, Cancelled));
        Assert.Equal(Enumerable.Range(0, Many), await Task.WhenAll(next).WaitAsync(Hang, Cancelled));
    }

    /// <summary>Seen from the databases: the first backup of one does not end, those of some fail, and the others are protected all the same.</summary>
    [Fact]
    public async Task A_first_backup_that_hangs_or_fails_does_not_keep_other_databases_of_the_process_from_being_protected()
    {
        string[] names = ["hangs", "fails 1", "fails 2", "fails 3", "fails 4", "fails 5", "good 1", "good 2", "good 3"];
        using var store = new StoreCatalog(
            new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System);
        var home = new BackupDirectory(folder["backups"], TimeProvider.System);
        foreach (var name in names)
        {
            Databases.Create(folder[name + ".db"], new DatabaseShape { JournalMode = JournalMode.Wal, Rows = 100 });
        }

        using var stop = new CancellationTokenSource();
        using var going = new ManualResetEventSlim();
        var context = new OperationContext(TimeProvider.System, Report, stop.Token);
        var entries = ProtectionHost.Resolve([.. names.Select(name => (folder[name + ".db"], home))], store, context);
        var running = Task.Run(() => ProtectionHost.Run(entries, store, new ProtectionOptions { CreatesContainer = true }, context), Cancelled);
        try
        {
            Assert.True(SpinWait.SpinUntil(() => running.IsCompleted || Stored() == 3, Hang));
            Assert.Equal(["good 1.db", "good 2.db", "good 3.db"], StoredNames());
        }
        finally
        {
            going.Set();
            await stop.CancelAsync();
        }

        var outcomes = await running.WaitAsync(Hang, Cancelled);
        Assert.Equal(5, outcomes.Count(outcome => outcome.Fault?.ErrorId == BackupErrorId.WriteFailed));

        int Stored() => StoredNames().Count();

        IEnumerable<string> StoredNames() => ProtectionHost.Find(home)
            .Where(status => status is { State: ProtectionState.Following, Segment: > 0 })
            .Select(status => Path.GetFileName(status.Database));

        void Report(OperationEvent told)
        {
            if (told is not OperationProgress progress)
            {
                return;
            }

            if (progress.Activity.Contains("hangs", StringComparison.Ordinal))
            {
                going.Wait(Hang, CancellationToken.None);
            }
            else if (progress.Activity.Contains("fails", StringComparison.Ordinal))
            {
                throw new BackupException(BackupErrorId.WriteFailed, folder["backups"], "The disk fails.");
            }
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var before = Volatile.Read(ref most); before < value;)
        {
            before = Interlocked.CompareExchange(ref most, value, before) is var seen && seen == before ? value : seen;
        }
    }
}
