using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>Runs that are killed, one after the other, until enough of them were under way.</summary>
/// <param name="kills">How many must have been. SHBACKUP_KILLS multiplies it, for a long run by hand.</param>
internal sealed class Victims(int kills)
{
    private static readonly TimeSpan FirstSpan = TimeSpan.FromMilliseconds(200);

    private readonly int kills = kills * int.Parse(Environment.GetEnvironmentVariable("SHBACKUP_KILLS") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>How many were killed under way.</summary>
    public int Killed { get; private set; }

    /// <summary>How many had ended before.</summary>
    public int Ended { get; private set; }

    /// <summary>Kills runs at points in turn.</summary>
    /// <param name="points">Where.</param>
    /// <param name="prepare">Makes a place for a run; gives the folder to watch and the command.</param>
    /// <param name="look">Looks at what the run has left; called with the round.</param>
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

                // So that the next delays fit what a run takes on this machine.
                span *= killed ? 1.2 : 0.6;

                // The next one starts while this one's rests are looked at.
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
