using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>Kills runs, one after another, until enough of them were killed before their end.</summary>
/// <param name="kills">The required number. SHBACKUP_KILLS multiplies it, for a long run by hand.</param>
internal sealed class Victims(int kills)
{
    private static readonly TimeSpan FirstSpan = TimeSpan.FromMilliseconds(200);

    private readonly int kills = kills * int.Parse(Environment.GetEnvironmentVariable("SHBACKUP_KILLS") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>The number of runs killed before their end.</summary>
    public int Killed { get; private set; }

    /// <summary>The number of runs that had ended before.</summary>
    public int Ended { get; private set; }

    /// <summary>Kills runs at points in turn.</summary>
    /// <param name="points">The points.</param>
    /// <param name="prepare">Makes a place for a run; returns the folder to watch and the command.</param>
    /// <param name="look">Checks what the run left behind; called with the round.</param>
    public async Task KillAsync(KillPoint[] points, Func<Task<(string Folder, string Command)>> prepare, Func<int, Task> look)
    {
        var random = new Random(kills);
        var span = FirstSpan;
        Shbackup? victim = null;
        try
        {
            for (var round = 0; Killed < kills; round++)
            {
                Assert.True(round < 4 * kills, $"only {Killed} of {round} runs were killed under way");
                victim ??= Shbackup.Start();
                (var folder, var command) = await prepare();
                var killed = await points[round % points.Length].KillAsync(victim, command, folder, span, random);
                Killed += killed ? 1 : 0;
                Ended += killed ? 0 : 1;

                // Adapts the next delays to the duration of a run on this machine.
                span *= killed ? 1.2 : 0.6;

                // The next one starts while the remains of this one are checked.
                victim.Dispose();
                victim = Killed < kills ? Shbackup.Start() : null;
                await look(round);
            }
        }
        finally
        {
            victim?.Dispose();
        }
    }
}
