using System.Globalization;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>The number of repetitions of random tests: SHBACKUP_TEST_FACTOR times as many as in an ordinary run.</summary>
internal static class Iterations
{
    public static long Of(int ordinary) =>
        ordinary * (Environment.GetEnvironmentVariable("SHBACKUP_TEST_FACTOR") is { Length: > 0 } factor
            ? long.Parse(factor, CultureInfo.InvariantCulture)
            : 1);
}
