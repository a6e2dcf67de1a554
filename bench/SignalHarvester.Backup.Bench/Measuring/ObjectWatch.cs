using System.Diagnostics;
using System.IO.Enumeration;

namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>Sees objects appear in a store that is a folder, whoever puts them there, until it is disposed.</summary>
internal sealed class ObjectWatch : IDisposable
{
    private readonly Protection protection;
    private readonly string store;
    private readonly TimeSpan pause;
    private readonly Dictionary<string, long> seen = [];
    private readonly Lock gate = new();
    private readonly ManualResetEventSlim ended = new();
    private readonly Thread thread;

    /// <summary>Begins; what is there already does not count.</summary>
    /// <param name="protection">Whose objects.</param>
    /// <param name="store">The folder.</param>
    /// <param name="pause">The time between two looks, which is how exact the times are.</param>
    public ObjectWatch(Protection protection, string store, TimeSpan pause)
    {
        this.protection = protection;
        this.store = store;
        this.pause = pause;
        Before = Look(isNew: false);
        thread = new Thread(Run) { IsBackground = true };
        thread.Start();
    }

    /// <summary>The number of objects that were there at the beginning.</summary>
    public int Before { get; }

    /// <summary>The objects that have come, and when each was first seen, in that order.</summary>
    public IReadOnlyList<(string Path, long Seen)> New
    {
        get
        {
            lock (gate)
            {
                return [.. seen.Where(o => o.Value > 0).Select(o => (o.Key, o.Value)).OrderBy(o => o.Value)];
            }
        }
    }

    /// <summary>Waits until nothing has come for a time.</summary>
    public void WaitForRest(TimeSpan rest)
    {
        for (var last = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(last) < rest;)
        {
            Thread.Sleep(50);
            last = New is [.., var newest] ? Math.Max(last, newest.Seen) : last;
        }
    }

    public void Dispose()
    {
        ended.Set();
        thread.Join();
        ended.Dispose();
    }

    private void Run()
    {
        while (!ended.Wait(pause))
        {
            _ = Look(isNew: true);
        }
    }

    private int Look(bool isNew)
    {
        var files = new FileSystemEnumerable<string>(
            store, (ref FileSystemEntry entry) => entry.ToFullPath(), new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => protection.IsObject(entry.FileName),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.FileName.SequenceEqual(Module.Cache),
        };
        foreach (var file in files)
        {
            lock (gate)
            {
                seen.TryAdd(file, isNew ? Stopwatch.GetTimestamp() : 0);
            }
        }

        return seen.Count;
    }
}
