using System.Diagnostics;

namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>Sees objects that hold commits appear in a store, whoever puts them there, until it is disposed.</summary>
internal sealed class ObjectWatch : IDisposable
{
    private static readonly TimeSpan Ask = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan AskServer = TimeSpan.FromMilliseconds(500);

    private readonly Protection protection;
    private readonly ProtectedStore store;
    private readonly TimeSpan pause;
    private readonly Dictionary<string, (StoredObject Stored, long Seen)> seen = [];
    private readonly Lock gate = new();
    private readonly ManualResetEventSlim ended = new();
    private readonly Thread? thread;

    /// <summary>Begins; what is there already does not count.</summary>
    /// <param name="protection">Whose objects.</param>
    /// <param name="store">The store.</param>
    /// <param name="pause">
    /// The time between two looks, which is how exact the times are. A store that tells them itself is looked at when somebody asks.
    /// </param>
    public ObjectWatch(Protection protection, ProtectedStore store, TimeSpan pause)
    {
        this.protection = protection;
        this.store = store;
        this.pause = pause;
        Look(isNew: false);
        if (!store.TellsTimes)
        {
            thread = new Thread(Run) { IsBackground = true };
            thread.Start();
        }
    }

    /// <summary>The objects that have come, and when each was stored or first seen, in that order.</summary>
    public IReadOnlyList<(StoredObject Stored, long Seen)> New
    {
        get
        {
            if (store.TellsTimes)
            {
                Look(isNew: true);
            }

            lock (gate)
            {
                return [.. seen.Values.Where(o => o.Seen > 0).OrderBy(o => o.Seen)];
            }
        }
    }

    /// <summary>Waits until something has come, and then nothing for a time.</summary>
    /// <exception cref="BenchException">Nothing comes.</exception>
    public void WaitForRest(TimeSpan rest)
    {
        var began = Stopwatch.GetTimestamp();
        for (var last = began; Stopwatch.GetElapsedTime(last) < rest || New.Count == 0;)
        {
            if (New.Count == 0 && Stopwatch.GetElapsedTime(began) > LongestWait)
            {
                throw new BenchException("No object came.");
            }

            Thread.Sleep(store.TellsTimes ? AskServer : Ask);
            last = New is [.., var newest] ? Math.Max(last, newest.Seen) : last;
        }
    }

    public void Dispose()
    {
        ended.Set();
        thread?.Join();
        ended.Dispose();
    }

    private void Run()
    {
        while (!ended.Wait(pause))
        {
            Look(isNew: true);
        }
    }

    private void Look(bool isNew)
    {
        foreach (var stored in store.List())
        {
            lock (gate)
            {
                if (protection.IsObject(stored.FileName))
                {
                    seen.TryAdd(stored.Name, (stored, isNew ? store.TellsTimes ? stored.Stored : Stopwatch.GetTimestamp() : 0));
                }
            }
        }
    }
}
