namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Looks at those of a process's databases to which nothing happens, all on one thread. A look compares some memory that is shared with the
/// database's users, and now and then asks the system about the files; whoever has news gets a thread of its own again.
/// </summary>
internal sealed class RestRounds : IDisposable
{
    // A look costs two microseconds, nearly all of it the way to memory that nothing else uses, and 5,000 a second cost a hundredth of a core.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PauseForEach = TimeSpan.FromMilliseconds(0.2);

    // To ask for the files costs another five microseconds. A file that was put in a database's place is noticed later by that, which does no harm
    // at rest: the log is empty, and whoever commits to it makes news.
    private const int RoundsBetweenFiles = 8;

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
        for (var round = 0; !ended.Wait(pause); round++)
        {
            var isThorough = round % RoundsBetweenFiles == 0;
            lock (gate)
            {
                resting.RemoveWhere(watch =>
                {
                    var hasNews = watch.HasNews(isThorough);
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
