using System.Diagnostics;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>One commit of the writer process, on the clock that all processes of the machine share.</summary>
/// <param name="Start">Timestamp before the statement.</param>
/// <param name="Elapsed">Timestamp ticks until it returned.</param>
/// <param name="Refused">Whether SQLite answered busy or locked instead of committing.</param>
internal readonly record struct Commit(long Start, long Elapsed, bool Refused)
{
    /// <summary>What the writer's rows have in their column <c>source</c>, and no others.</summary>
    public const string Source = "bench";

    /// <summary>When it had returned.</summary>
    public long End => Start + Elapsed;

    /// <summary>The 32 bytes in the row of the writer's commit of a number: as good as random, and found again in whatever holds the page.</summary>
    public static byte[] MarkerOf(int number) => SHA256.HashData(BitConverter.GetBytes(number));

    /// <summary>Whether it began and ended within a span of time.</summary>
    public bool IsWithin(long from, long to) => Start >= from && End <= to;

    /// <summary>Returns the latency in milliseconds that a fraction of the commits does not exceed; for 1, the longest.</summary>
    /// <exception cref="BenchException">There are no commits: the writer was blocked.</exception>
    public static double Percentile(IReadOnlyCollection<Commit> commits, double fraction)
    {
        if (commits.Count == 0)
        {
            throw new BenchException("The writer committed nothing in that time.");
        }

        return Quantile.Of([.. commits.Select(commit => (double)commit.Elapsed).Order()], fraction) * 1e3 / Stopwatch.Frequency;
    }

    public static void WriteAll(string path, IEnumerable<Commit> commits)
    {
        using var writer = new BinaryWriter(File.Create(path));
        foreach (var commit in commits)
        {
            writer.Write(commit.Start);
            writer.Write(commit.Elapsed);
            writer.Write(commit.Refused);
        }
    }

    public static IReadOnlyList<Commit> ReadAll(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        var commits = new List<Commit>();
        while (reader.BaseStream.Position < reader.BaseStream.Length)
        {
            commits.Add(new Commit(reader.ReadInt64(), reader.ReadInt64(), reader.ReadBoolean()));
        }

        return commits;
    }
}
