using System.Collections.Concurrent;
using System.Diagnostics;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>A process protects what is in a folder: databases appear there, and are deleted, while it goes on.</summary>
public sealed class DatabaseSearchTests : IDisposable
{
    private static readonly string[] Wal = ["journal_mode = WAL", "synchronous = OFF"];
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly TempFolder folder = new();
    private readonly StoreCatalog store;
    private readonly BackupDirectory home;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> said = [];
    private Task<IReadOnlyList<ProtectionOutcome>> running = Task.FromResult<IReadOnlyList<ProtectionOutcome>>([]);
    private volatile bool isUnreadable;

    public DatabaseSearchTests()
    {
        store = new StoreCatalog(
            new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System);
        home = new BackupDirectory(folder["backups"], TimeProvider.System);
        _ = Directory.CreateDirectory(Tenants);
    }

    private string Tenants => folder["tenants"];

    public void Dispose()
    {
        stop.Cancel();
        _ = running.Wait(Hang);
        stop.Dispose();
        store.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_database_that_appears_is_protected_and_one_that_is_deleted_is_let_go_and_protected_again_when_it_is_back()
    {
        await using (var first = await StartAsync("first.db"))
        {
            Search();
            _ = await Await("first.db", one => one.State == ProtectionState.Following && one.StoredTransaction == one.Transaction);
            var second = await StartAsync("second with ' and ü.db");
            _ = await Await(second.Name, one => one.State == ProtectionState.Following);
            _ = await second.Application.WorkAsync(3);
            _ = await Await(second.Name, one => one.StoredTransaction >= 3);
            await second.DisposeAsync();
            Delete(second.Name);
            _ = await Await(second.Name, one => one.State == ProtectionState.Gone);
            _ = await Await("first.db", one => one.State == ProtectionState.Following);
            Assert.Contains(said, message => message.Contains("was deleted", StringComparison.Ordinal));

            await using var again = await StartAsync(second.Name);
            _ = await again.Application.WorkAsync(2);
            _ = await Await(second.Name, one => one.State == ProtectionState.Following && one.StoredTransaction == one.Transaction && one.Lag == TimeSpan.Zero);
        }

        Assert.False(running.IsCompleted);
        await stop.CancelAsync();
        Assert.All(await running.WaitAsync(Hang, TestContext.Current.CancellationToken), outcome => Assert.Null(outcome.Fault));
    }

    [Fact]
    public async Task What_cannot_be_protected_keeps_nobody_waiting_and_is_told_once()
    {
        await using (var unsuitable = await StartAsync("rollback.db", []))
        {
            _ = await unsuitable.Application.WorkAsync(1);
        }

        await File.WriteAllTextAsync(Path.Combine(Tenants, "notes.txt"), "no database", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["victim"], "SQLite format 3\0", TestContext.Current.CancellationToken);
        _ = File.CreateSymbolicLink(Path.Combine(Tenants, "link.db"), folder["victim"]);
        if (!OperatingSystem.IsWindows())
        {
            Tool.Require("mkfifo").Run(Path.Combine(Tenants, "pipe.db")).EnsureSuccess();
        }

        Search();
        await using var good = await StartAsync("good.db");
        _ = await Await("good.db", one => one.State == ProtectionState.Following);
        Assert.Single(ProtectionHost.Find(home));
        Assert.Single(said, message => message.Contains("is not in WAL mode", StringComparison.Ordinal));

        await using (var converted = await StartAsync("rollback.db"))
        {
            _ = await converted.Application.WorkAsync(1);
            _ = await Await("rollback.db", one => one.State == ProtectionState.Following && one.StoredTransaction == one.Transaction);
        }
    }

    [Fact]
    public async Task A_folder_that_cannot_be_read_or_is_not_mounted_lets_nobody_go()
    {
        await using var one = await StartAsync("one.db");
        Search();
        _ = await Await("one.db", status => status.State == ProtectionState.Following);
        isUnreadable = true;
        await AwaitSaid("is not known");
        isUnreadable = false;
        Directory.Move(Tenants, folder["unmounted"]);
        _ = await Await("one.db", status => status.State == ProtectionState.Waiting);

        // Longer than two looks: it would have been let go by then.
        await Task.Delay(TimeSpan.FromSeconds(12), TestContext.Current.CancellationToken);
        Assert.Equal(ProtectionState.Waiting, Of("one.db")!.State);
        Directory.Move(folder["unmounted"], Tenants);
        _ = await Await("one.db", status => status.State == ProtectionState.Following);
    }

    [Fact]
    public async Task One_that_somebody_stops_stays_stopped_and_the_last_one_ends_the_process()
    {
        await using var one = await StartAsync("one.db");
        await using var two = await StartAsync("two.db");
        Search();
        _ = await Await("one.db", status => status.State == ProtectionState.Following);
        _ = await Await("two.db", status => status.State == ProtectionState.Following);
        ProtectionHost.RequestStop(home, Path.Combine(Tenants, "one.db"));
        _ = await Await("one.db", status => status.State == ProtectionState.Stopped);

        // Longer than a look, which would have taken it up again.
        await Task.Delay(TimeSpan.FromSeconds(7), TestContext.Current.CancellationToken);
        Assert.Equal(ProtectionState.Stopped, Of("one.db")!.State);
        ProtectionHost.RequestStop(home, Path.Combine(Tenants, "two.db"));
        Assert.Equal(2, (await running.WaitAsync(Hang, TestContext.Current.CancellationToken)).Count);
    }

    private void Search()
    {
        var context = new OperationContext(TimeProvider.System, told =>
        {
            if (told is OperationMessage message)
            {
                said.Enqueue(message.Text);
            }
        }, stop.Token);
        var search = new ProtectionSearch(Find, _ => home);
        running = Task.Run(() => ProtectionHost.Run([], search, store, new ProtectionOptions { CreatesContainer = true }, context));
    }

    private string[] Find() => isUnreadable ? throw new UnauthorizedAccessException("Access is denied.")
        : Directory.Exists(Tenants) ? Directory.GetFiles(Tenants)
        : [];

    private async Task<Running> StartAsync(string name, string[]? pragmas = null) => new(name, await Application.StartAsync(
        new ApplicationOptions { DatabasePath = Path.Combine(Tenants, name), Pragmas = pragmas ?? Wal }));

    private void Delete(string name)
    {
        foreach (var file in Directory.GetFiles(Tenants, name + "*"))
        {
            File.Delete(file);
        }
    }

    private BackupProtection? Of(string name) => ProtectionHost.Find(home).FirstOrDefault(one => one.Database == Path.Combine(Tenants, name));

    private async Task<BackupProtection> Await(string name, Predicate<BackupProtection> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            if (Of(name) is { } status && isSo(status))
            {
                return status;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < Hang && !running.IsFaulted, $"It did not come: {Of(name)}\n{string.Join('\n', said)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private async Task AwaitSaid(string text)
    {
        var began = Stopwatch.GetTimestamp();
        while (!said.Any(message => message.Contains(text, StringComparison.Ordinal)))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Hang, string.Join('\n', said));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private sealed record Running(string Name, Application Application) : IAsyncDisposable
    {
        private bool hasEnded;

        public async ValueTask DisposeAsync()
        {
            if (!hasEnded)
            {
                hasEnded = true;
                await Application.EndAsync();
                Application.Dispose();
            }
        }
    }
}
