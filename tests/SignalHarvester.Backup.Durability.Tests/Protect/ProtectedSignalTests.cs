using System.Globalization;
using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>A service is stopped by SIGTERM, whatever its application is doing then.</summary>
public sealed class ProtectedSignalTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly Shbackup host = Shbackup.Start();
    private readonly Protected shop;

    public ProtectedSignalTests() => shop = new Protected(folder.Path, host);

    public void Dispose()
    {
        shop.Dispose();
        host.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task What_was_committed_before_the_signal_is_stored_although_commits_go_on()
    {
        using var application = await Application.StartAsync(shop.Options);
        var protection = shop.StartAlone();
        using var stop = new CancellationTokenSource();
        var working = WorkAsync();
        _ = await shop.AwaitAsync(status => status.Segment > 2);
        var committed = shop.Journal.Count(record => record.After is not null);
        protection.Signal("TERM");
        var ended = await protection.FinishAsync();
        await stop.CancelAsync();
        await working;
        await application.EndAsync();

        Assert.Equal((143, ""), (ended.ExitCode, ended.Error));
        Assert.Equal("Stopped", shop.Status.State);
        await shop.AssertIsAsync(shop.Database, shop.Journal);
        var restored = await shop.RestoreAsync("-PointInTime 2100-01-01");
        using var reader = await Application.StartAsync(shop.Options with { OpensAtStart = false });
        var report = await reader.CheckAsync(restored);
        Assert.Empty(report.ProblemsBeside(shop.Journal));
        Assert.InRange(report.Transactions, committed, shop.Journal.Count);

        async Task WorkAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.Equal(0, (await application.WorkAsync(20)).Refused);
            }
        }
    }

    [Fact]
    public async Task What_a_signal_leaves_unstored_is_counted_and_stored_by_the_next_start()
    {
        using var application = await Application.StartAsync(shop.Options);
        var protection = shop.StartAlone("-NoCheckpoint");
        _ = await shop.AwaitStoredAsync();
        Directory.Move(shop.Store, folder["away"]);
        var waiting = (await application.WorkAsync(10)).Committed;
        _ = await shop.AwaitAsync(status => status.State == "StoreUnavailable" && status.Transaction == status.StoredTransaction + waiting);
        protection.Signal("TERM");
        var ended = await protection.FinishAsync();

        var told = string.Create(CultureInfo.InvariantCulture, $"has stopped, but {waiting} transactions could not be stored");
        Assert.Equal(143, ended.ExitCode);
        Assert.Contains(told, ended.Output, StringComparison.Ordinal);
        Assert.Equal("StreamBehind", shop.Status.ErrorId);
        Assert.Contains(told, shop.Status.Problem, StringComparison.Ordinal);
        await shop.AssertIsAsync(shop.Database, shop.Journal);
        Directory.Move(folder["away"], shop.Store);
        shop.Start();
        Assert.Equal(0, (await shop.AwaitStoredAsync()).Gaps);
        await application.EndAsync();
        await shop.StopAsync();
        await shop.AssertNewestAsync();
    }
}
