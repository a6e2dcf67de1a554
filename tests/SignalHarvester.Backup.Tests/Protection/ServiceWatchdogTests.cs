using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>What the watchdog of a service manager gets from a protection of which a part hangs. Both are a message that nobody takes.</summary>
[Collection(nameof(ServiceWatchdogTests))]
[CollectionDefinition(nameof(ServiceWatchdogTests), DisableParallelization = true)]
public sealed class ServiceWatchdogTests : IDisposable
{
    private const string Food = "WATCHDOG=1";
    private const string SocketVariable = "NOTIFY_SOCKET";
    private const string WatchdogVariable = "WATCHDOG_USEC";

    // The manager hears how it is each half of the watchdog's second; so many times without food are more than that second.
    private const int Reports = 8;

    private readonly TempFolder folder = new();
    private readonly StoreCatalog store;
    private readonly ServiceManager manager;

    public ServiceWatchdogTests()
    {
        store = new StoreCatalog(
            new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System);
        manager = new ServiceManager(folder["notify"]);

        // Of this process, so no other test of protection may run at the same time.
        Environment.SetEnvironmentVariable(SocketVariable, folder["notify"]);
        Environment.SetEnvironmentVariable(WatchdogVariable, "1000000");
    }

    private string Database => folder["app.db"];

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(SocketVariable, null);
        Environment.SetEnvironmentVariable(WatchdogVariable, null);
        manager.Dispose();
        store.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_loop_that_stores_nothing_any_more_feeds_no_watchdog_until_it_goes_on()
    {
        using var application = await Application.StartAsync(new ApplicationOptions { DatabasePath = Database });
        await AssertStarvesAsync("Stored 'seg_", async () => Assert.Equal(1, (await application.WorkAsync(1)).Committed));
    }

    [Fact]
    public async Task A_thread_that_looks_at_no_log_any_more_feeds_no_watchdog_until_it_goes_on()
    {
        using (var application = await Application.StartAsync(new ApplicationOptions { DatabasePath = Database }))
        {
            _ = await application.WorkAsync(5);
            await application.EndAsync();
        }

        await AssertStarvesAsync("is not followed at the moment", () =>
        {
            File.Move(Database, folder["away.db"]);
            return Task.CompletedTask;
        });
    }

    /// <summary>Lets a thread hang with a message that nobody takes; then nothing feeds the watchdog, until it goes on.</summary>
    /// <param name="words">The message.</param>
    /// <param name="cause">What makes the thread say it.</param>
    private async Task AssertStarvesAsync(string words, Func<Task> cause)
    {
        using var going = new ManualResetEventSlim(initialState: true);
        using var protecting = new Protecting(Database, folder["backups"], store, onEvent: told => HangAt(told, words, going));
        try
        {
            AwaitHealthy();
            going.Reset();
            await cause();
            _ = manager.Until(Reports, "STATUS=", without: Food);
        }
        finally
        {
            going.Set();
        }

        _ = manager.Until(Food);
        Assert.Null(protecting.Stop());
        _ = manager.Until("STOPPING=1");
    }

    private static void HangAt(OperationEvent told, string words, ManualResetEventSlim going)
    {
        if (told is OperationMessage message && message.Text.Contains(words, StringComparison.Ordinal))
        {
            going.Wait();
        }
    }

    private void AwaitHealthy()
    {
        _ = manager.Until("READY=1");
        _ = manager.Until(Food);
        _ = manager.Until(Food);
    }
}
