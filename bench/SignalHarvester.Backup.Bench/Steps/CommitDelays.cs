using System.Diagnostics;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>How long commits waited until they were in a store.</summary>
internal static class CommitDelays
{
    /// <summary>The column for the median.</summary>
    public const string P50 = "delay p50 ms";

    /// <summary>The column for what one in a hundred exceeds.</summary>
    public const string P99 = "delay p99 ms";

    /// <summary>
    /// Returns the times from the return of each commit until the first object that holds it, in milliseconds; null for one that is in none. A commit is
    /// looked for by the random bytes in its row: the first object after it may hold only the one before it.
    /// </summary>
    /// <param name="protection">Whose objects.</param>
    /// <param name="store">Where they are.</param>
    /// <param name="commits">All of the writer's.</param>
    /// <param name="objects">The objects, in the order in which they came.</param>
    /// <param name="every">Looks for one of so many.</param>
    public static IEnumerable<double?> Of(
        Protection protection, ProtectedStore store, IReadOnlyList<Commit> commits, IReadOnlyList<(StoredObject Stored, long Seen)> objects, int every = 1)
    {
        var contents = objects.Select(o => (o.Seen, Bytes: protection.Read(store.Fetch(o.Stored)))).ToList();
        for (int number = 0, first = 0; number < commits.Count; number += every)
        {
            // No commit is in an object before that of an earlier one.
            var marker = Commit.MarkerOf(number);
            var found = contents.FindIndex(first, content => content.Bytes.AsSpan().IndexOf(marker) >= 0);
            first = Math.Max(first, found);
            yield return found < 0 ? null : Stopwatch.GetElapsedTime(commits[number].End, contents[found].Seen).TotalMilliseconds;
        }
    }
}
