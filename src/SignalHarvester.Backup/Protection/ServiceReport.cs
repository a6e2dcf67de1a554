using System.Globalization;

namespace SignalHarvester.Backup.Protection;

/// <summary>Reports the protection of this process to its service manager, each second or so.</summary>
/// <param name="notice">The way to the manager.</param>
/// <param name="protections">The databases.</param>
/// <param name="clock">The clock.</param>
internal sealed class ServiceReport(ServiceNotice notice, IReadOnlyList<DatabaseProtection> protections, TimeProvider clock)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // Far more than the time to the next report, so that a busy machine ends nothing too early.
    private static readonly TimeSpan Extension = TimeSpan.FromSeconds(60);

    private bool isReady;
    private bool isStopping;
    private bool isToldToStop;
    private long fed;

    /// <summary>Reports until the protection has ended.</summary>
    /// <param name="stop">Cancelled when the protection is asked to stop.</param>
    /// <param name="ended">Cancelled when it has ended.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken ended)
    {
        // The watchdog wants its food twice within its interval.
        var pause = notice.WatchdogInterval / 2 is { } half && half < Second ? half : Second;
        while (!ended.IsCancellationRequested)
        {
            Report(stop.IsCancellationRequested);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ended, isStopping ? CancellationToken.None : stop);
            await Task.Delay(pause, clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!isToldToStop)
        {
            _ = notice.Stopping();
        }
    }

    private void Report(bool isAskedToStop)
    {
        var shown = protections.Select(protection => protection.Shown).OfType<BackupProtection>().ToList();
        isStopping |= isAskedToStop;
        isToldToStop = isToldToStop || (isStopping && notice.Stopping());

        if (!isReady && !isStopping && protections.All(HasStarted) && shown.Exists(IsFollowed))
        {
            isReady = notice.Ready();
        }

        notice.Status(Sentence(shown));
        if (isStopping || !isReady)
        {
            // The first backup of a large database, or the last transactions through a slow line.
            notice.Extend(Extension);
        }

        if (notice.WatchdogInterval is { } interval && (fed == 0 || clock.GetElapsedTime(fed) >= interval / 3)
            && protections.All(protection => protection.IsAlive(interval)))
        {
            fed = clock.GetTimestamp();
            notice.Feed();
        }
    }

    /// <summary>Whether a database is followed; one whose protection has failed at once keeps nobody waiting for the others.</summary>
    private static bool HasStarted(DatabaseProtection protection) => protection.HasEnded || protection.Shown is { State: not ProtectionState.Starting };

    private static bool IsFollowed(BackupProtection one) =>
        one.State is ProtectionState.Following or ProtectionState.Waiting or ProtectionState.StoreUnavailable;

    private string Sentence(List<BackupProtection> shown)
    {
        var followed = shown.Where(IsFollowed).ToList();
        var lag = shown.Count == 0 ? TimeSpan.Zero : shown.Max(one => one.Lag);
        var worst = shown.Find(one => one.Problem is not null);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{followed.Count} of {protections.Count} databases followed, lag {lag.TotalSeconds:0.0} s, transaction {shown.Sum(one => one.Transaction)}, stored {shown.Sum(one => one.StoredTransaction)}{(worst is null ? string.Empty : $". {worst.State}: {worst.Problem}")}");
    }
}
