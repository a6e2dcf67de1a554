using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Takes up databases that appear, and lets go of those that were deleted. One whose protection has failed is tried again after a minute, then after
/// longer and longer; not one that somebody has stopped, or that another writer owns.
/// </summary>
/// <param name="search">Where databases may appear.</param>
/// <param name="protections">The protections of this process.</param>
/// <param name="prepare">Checks a database, and prepares its protection. It throws a <see cref="BackupException"/> if it cannot be protected.</param>
/// <param name="context">Clock, messages; its cancellation ends the search.</param>
internal sealed class DatabaseSearch(
    ProtectionSearch search, ProtectionSet protections, Func<string, BackupDirectory, DatabaseProtection> prepare, OperationContext context)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    // Nothing that comes by itself ends these.
    private static readonly string[] Lasting = [BackupErrorId.StreamFenced, BackupErrorId.StreamNotOurs, BackupErrorId.StoreUnconditional];

    private readonly Dictionary<string, string> told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (TimeSpan Wait, long Since)> retries = new(StringComparer.Ordinal);
    private readonly HashSet<string> found = new(StringComparer.Ordinal);
    private HashSet<string> missing = new(StringComparer.Ordinal);

    /// <summary>Searches again and again, until it is stopped, or somebody has stopped the last protection.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(Pause, context.Clock, context.Cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (context.Cancellation.IsCancellationRequested || IsStopped)
            {
                return;
            }

            await LookAsync().ConfigureAwait(false);
        }
    }

    private bool IsStopped => protections.All is { Count: > 0 } all && all.All(one => one.HasEnded) && all.Any(one => one.Failure is null);

    /// <summary>Searches once.</summary>
    public async Task LookAsync()
    {
        IReadOnlyList<string> there;
        try
        {
            there = search.Find();
            found.UnionWith(there);
            _ = told.Remove(string.Empty);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            TellOnce(string.Empty, $"Whether databases have appeared or gone is not known: {exception.Message} It is tried again.");
            return;
        }

        var known = protections.All.ToDictionary(one => one.Path, StringComparer.Ordinal);
        await LetGoAsync(known).ConfigureAwait(false);
        foreach (var path in there.Where(path => !known.TryGetValue(path, out var protection) || IsDue(protection)))
        {
            await TakeUpAsync(path, known.GetValueOrDefault(path)).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Lets go of databases that were not there at two looks, although their folders are: a disk that is not mounted has not lost them. One that was named
    /// by its path, and was never found, is waited for.
    /// </summary>
    private async Task LetGoAsync(Dictionary<string, DatabaseProtection> known)
    {
        var gone = known.Keys
            .Where(path => found.Contains(path) && !File.Exists(path) && Directory.Exists(Path.GetDirectoryName(path)))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var path in gone.Where(missing.Contains))
        {
            var protection = known[path];
            if (!protection.HasEnded)
            {
                context.Warn($"'{path}' was deleted, so its protection ends. What is stored of it stays, and it is protected again if it comes back.");
                protection.LetGo();
            }

            await protections.RemoveAsync(protection).ConfigureAwait(false);
            _ = known.Remove(path);
            _ = retries.Remove(path);
        }

        missing = gone;
    }

    private bool IsDue(DatabaseProtection protection)
    {
        if (!protection.HasEnded || protection.Failure is not { } failure || Lasting.Contains(failure.ErrorId))
        {
            return false;
        }

        if (!retries.TryGetValue(protection.Path, out var retry))
        {
            retries[protection.Path] = (FirstRetry, context.Clock.GetTimestamp());
            return false;
        }

        return context.Clock.GetElapsedTime(retry.Since) >= retry.Wait;
    }

    private async Task TakeUpAsync(string path, DatabaseProtection? failed)
    {
        switch (DatabaseFiles.IsInWalMode(path))
        {
            case null:
                return;
            case false:
                TellOnce(path, $"'{path}' is not in WAL mode, and is protected as soon as its application sets PRAGMA journal_mode = WAL.");
                return;
        }

        if (failed is not null)
        {
            var wait = retries[path].Wait * 2;
            retries[path] = (wait < LongestRetry ? wait : LongestRetry, context.Clock.GetTimestamp());
            await protections.RemoveAsync(failed).ConfigureAwait(false);
        }

        try
        {
            protections.Start([prepare(path, search.DirectoryOf(path))]);
            _ = told.Remove(path);
            context.Verbose($"'{path}' has appeared, and is protected from now on.");
        }
        catch (BackupException exception)
        {
            TellOnce(path, $"'{path}' has appeared, and cannot be protected. {exception.Message}");
        }
    }

    private void TellOnce(string path, string message)
    {
        if (told.GetValueOrDefault(path) != message)
        {
            context.Warn(message);
            told[path] = message;
        }
    }
}
