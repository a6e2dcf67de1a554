using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Soak;

/// <summary>Counts what happens, and keeps what must not.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, long> counts = new();
    private readonly ConcurrentDictionary<string, long> latest = new();
    private readonly ConcurrentQueue<string> problems = new();
    private readonly long start = Stopwatch.GetTimestamp();

    public IReadOnlyCollection<string> Problems => problems;

    public void Add(string what, long count = 1)
    {
        counts.AddOrUpdate(what, count, (_, before) => before + count);
        latest[what] = Stopwatch.GetTimestamp();
    }

    /// <summary>How often something was counted.</summary>
    public long Count(string what) => counts.GetValueOrDefault(what);

    /// <summary>Whether something was counted so short a time ago.</summary>
    public bool IsRecent(string what, TimeSpan span) => latest.TryGetValue(what, out var time) && Stopwatch.GetElapsedTime(time) < span;

    public void Problem(string what)
    {
        var said = string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss\\.fff} {what}");
        problems.Enqueue(said);
        Console.Error.WriteLine("PROBLEM " + said);
    }

    /// <summary>Says how far it is.</summary>
    public void Say()
    {
        var said = counts.OrderBy(count => count.Key, StringComparer.Ordinal)
            .Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss} {string.Join(", ", said)}"));
    }
}
