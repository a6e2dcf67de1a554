using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests;

/// <summary>Runs that are killed, one after the other, until enough of them were under way.</summary>
/// <param name="kills">How many must have been. SHBACKUP_KILLS multiplies it, for a long run by hand.</param>
internal sealed class Victims(int kills)
{
    private readonly int _kills = kills * int.Parse(Environment.GetEnvironmentVariable("SHBACKUP_KILLS") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>How many were killed under way.</summary>
    public int Killed { get; private set; }

    /// <summary>How many had ended before.</summary>
    public int Ended { get; private set; }

    /// <summary>Kills runs at points in turn.</summary>
    /// <param name="points">Where.</param>
    /// <param name="prepare">Makes a place for a run; gives the folder to watch and the command.</param>
    /// <param name="look">Looks at what the run has left; called with the round.</param>
    public async Task KillAsync(KillPoint[] points, Func<int, (string Folder, string Command)> prepare, Func<int, Task> look)
    {
        TimeSpan span = await MeasureAsync(points[0], prepare(0));
        Shbackup victim = Shbackup.Start();
        for (int round = 0; Killed < _kills; round++)
        {
            Assert.True(round < 4 * _kills, $"only {Killed} of {round} runs were killed under way");
            (string folder, string command) = prepare(round);
            Shbackup reserve = Shbackup.Start();
            using (victim)
            {
                if (await points[round % points.Length].KillAsync(victim, command, folder, span, new Random(round)))
                {
                    Killed++;
                }
                else
                {
                    Ended++;
                }
            }

            victim = reserve;
            await look(round);
        }

        victim.Dispose();
    }

    /// <summary>How long a run takes, in a process as cold as a victim, from a point to its end.</summary>
    private static async Task<TimeSpan> MeasureAsync(KillPoint point, (string Folder, string Command) run)
    {
        using Shbackup host = Shbackup.Start();
        await host.AskAsync("$null");
        using FileEvent change = point.Watch(run.Folder);
        Task<IReadOnlyList<string>> ended = host.AskAsync(run.Command);
        await Task.WhenAny(change.Seen, ended);
        long began = Stopwatch.GetTimestamp();
        await ended;
        return Stopwatch.GetElapsedTime(began);
    }
}
