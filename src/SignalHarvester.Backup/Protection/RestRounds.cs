using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Looks at those of a process's databases to which nothing happens, all on one thread. Whoever has news gets a thread of its own again. Linux says
/// when something is written to a database or its log, and rounds are made beside that: for what it does not say (a folder above that is moved), and for
/// databases that it does not listen to, because the account may listen to so many files only.
/// </summary>
/// <param name="clock">The clock for the rounds.</param>
internal sealed class RestRounds(TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan PauseIfHeard = TimeSpan.FromMilliseconds(500);

    // With many, a look costs some six microseconds; with few, each wakes a thread whose memory is cold, which costs twenty times as much.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(75);
    private static readonly TimeSpan PauseForEach = TimeSpan.FromMilliseconds(0.4);

    private readonly Lock gate = new();
    private readonly FileNews? news = FileNews.TryOpen();

    // Each with the numbers under which its files are heard; none for one that is not.
    private readonly Dictionary<DatabaseWatch, int[]> resting = [];
    private readonly Dictionary<int, DatabaseWatch> heard = [];
    private int unheard;

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

            TakeIn(watch);
            if (watch.HasNews())
            {
                // Since its own last look, and before anybody listened.
                LetGo(watch);
                watch.Work();
            }

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
            LetGo(watch);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ended.Set();
        news?.Wake();
        thread?.Join();
        ended.Dispose();
        news?.Dispose();
    }

    private void TakeIn(DatabaseWatch watch)
    {
        var numbers = watch.Files.Select(file => news?.Listen(file)).OfType<int>().ToArray();
        if (numbers.Length < watch.Files.Count)
        {
            Array.ForEach(numbers, number => news!.Forget(number));
            numbers = [];
            unheard++;
        }

        Array.ForEach(numbers, number => heard[number] = watch);
        resting.Add(watch, numbers);
    }

    private void LetGo(DatabaseWatch watch)
    {
        if (resting.Remove(watch, out var numbers))
        {
            unheard -= numbers.Length == 0 ? 1 : 0;
            foreach (var number in numbers)
            {
                news!.Forget(number);
                _ = heard.Remove(number);
            }
        }
    }

    private void Run()
    {
        var lastRound = clock.GetTimestamp();
        var pause = ShortestPause;
        while (!ended.IsSet)
        {
            var said = Listen(pause);
            lock (gate)
            {
                var isRound = clock.GetElapsedTime(lastRound) >= pause || said.Contains(FileNews.AnyFile);
                var seen = isRound ? resting.Keys.Where(watch => watch.HasNews()) : [];
                foreach (var watch in said.Select(heard.GetValueOrDefault).OfType<DatabaseWatch>().Union(seen).ToList())
                {
                    LetGo(watch);
                    watch.Work();
                }

                lastRound = isRound ? clock.GetTimestamp() : lastRound;
                var paced = PauseForEach * resting.Count;
                pause = unheard == 0 ? PauseIfHeard : paced > ShortestPause ? paced : ShortestPause;
            }
        }
    }

    private IReadOnlySet<int> Listen(TimeSpan pause)
    {
        if (news is not null)
        {
            return news.Wait(pause);
        }

        _ = ended.Wait(pause);
        return new HashSet<int>();
    }
}
