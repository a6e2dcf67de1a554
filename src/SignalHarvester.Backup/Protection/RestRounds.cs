namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Looks at those of a process's databases to which nothing happens, all on one thread. A look asks the system twice about a file, and
/// compares some memory that is shared with the database's users; whoever has news gets a thread of its own again.
/// </summary>
internal sealed class RestRounds : IDisposable
{
    // With many, a look costs some six microseconds; with few, each wakes a thread whose memory is cold, which costs twenty times as much.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(75);
    private static readonly TimeSpan PauseForEach = TimeSpan.FromMilliseconds(0.4);

    private readonly Lock gate = new();
    private readonly HashSet<DatabaseWatch> resting = [];

    // Without spinning, as the databases' own threads.
    private readonly ManualResetEventSlim ended = new(initialState: false, spinCount: 0);
    private Thread? thread;

    /// <summary>Takes over a database to which nothing happens, unless its watch has ended.</summary>
    public void Add(DatabaseWatch watch)
    {
        lock (gate)
        {
            if (watch.HasEnded)
            {
                return;
            }

            resting.Add(watch);
            if (thread is null)
            {
                thread = new Thread(Run) { IsBackground = true, Name = "Looking at databases at rest" };
                thread.Start();
            }
        }
    }

    /// <summary>Lets go of a database. It gets no thread of its own from here after that.</summary>
    public void Remove(DatabaseWatch watch)
    {
        lock (gate)
        {
            resting.Remove(watch);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ended.Set();
        thread?.Join();
        ended.Dispose();
    }

    private void Run()
    {
        var pause = ShortestPause;
        while (!ended.Wait(pause))
        {
            lock (gate)
            {
                resting.RemoveWhere(watch =>
                {
                    var hasNews = watch.HasNews();
                    if (hasNews)
                    {
                        watch.Work();
                    }

                    return hasNews;
                });
                pause = PauseForEach * resting.Count;
                pause = pause > ShortestPause ? pause : ShortestPause;
            }
        }
    }
}
