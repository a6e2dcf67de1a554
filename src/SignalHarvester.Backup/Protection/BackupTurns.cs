namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Lets few of a process's databases make or send a backup at a time: a thousand that begin together, or whose hour is over, would
/// each have buffers of their own, and take the threads on which the others store transactions.
/// </summary>
internal sealed class BackupTurns : IDisposable
{
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim free = new(Math.Clamp(Environment.ProcessorCount, 2, 4));
    private int working;

    /// <summary>Does the work when it is its turn, on a thread of its own.</summary>
    /// <param name="work">The work.</param>
    /// <param name="waiting">Called each second until then.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>What the work returns.</returns>
    public async Task<T> TakeAsync<T>(Func<T> work, Action waiting, CancellationToken cancellation)
    {
        _ = Interlocked.Increment(ref working);
        try
        {
            return await TakeOneAsync(work, waiting, cancellation).ConfigureAwait(false);
        }
        finally
        {
            if (Interlocked.Decrement(ref working) == 0)
            {
                // What a wave of backups leaves would stay with a process that allocates next to nothing from then on.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => free.Dispose();

    private async Task<T> TakeOneAsync<T>(Func<T> work, Action waiting, CancellationToken cancellation)
    {
        while (!await free.WaitAsync(Breath, cancellation).ConfigureAwait(false))
        {
            waiting();
        }

        try
        {
            return await Task.Factory.StartNew(work, cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            free.Release();
        }
    }
}
