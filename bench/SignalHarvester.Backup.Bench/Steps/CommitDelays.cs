using System.Diagnostics;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>How long commits waited until they were in a store.</summary>
internal static class CommitDelays
{
    /// <summary>
    /// Returns the times from the return of each commit until the first object that holds it, in milliseconds; null for one that is in none. A commit is
    /// looked for by the random bytes in its row: the first object after it may hold only the one before it.
    /// </summary>
    public static IEnumerable<double?> Of(
        Protection protection, ProtectedStore store, IReadOnlyList<Commit> commits, IReadOnlyList<(StoredObject Stored, long Seen)> objects)
    {
        var contents = objects.Select(o => (o.Seen, Bytes: protection.Read(store.Fetch(o.Stored)))).ToList();
        return commits.Select((commit, number) =>
        {
            var found = contents.FindIndex(content => content.Bytes.AsSpan().IndexOf(Commit.MarkerOf(number)) >= 0);
            return found < 0 ? (double?)null : Stopwatch.GetElapsedTime(commit.End, contents[found].Seen).TotalMilliseconds;
        });
    }
}
