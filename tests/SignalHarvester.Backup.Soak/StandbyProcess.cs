using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Soak;

/// <summary>Restore-SHBackup -Follow as a process, which is started again whenever it was killed or could not begin.</summary>
/// <param name="database">The protected database.</param>
/// <param name="standby">The standby.</param>
/// <param name="store">Where the stream is.</param>
/// <param name="tally">Counts.</param>
/// <param name="replaces">Whether there is another database in the standby's place, which it may replace.</param>
internal sealed class StandbyProcess(string database, string standby, SoakStore store, Tally tally, bool replaces) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BeforeRestart = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Process? process;
    private Task life = Task.CompletedTask;
    private volatile bool isMeantToEnd;
    private volatile bool mayReplace = replaces;

    /// <summary>Whether what is in the standby's place is its own.</summary>
    public bool IsKept => !mayReplace;

    /// <summary>Starts it, and again whenever the network has ended it.</summary>
    public void Start()
    {
        isMeantToEnd = false;
        life = LiveAsync();
    }

    /// <summary>Kills it, whatever it is doing.</summary>
    public async Task KillAsync()
    {
        await EndAsync("-KILL");
        tally.Add("kills of the standby");
    }

    /// <summary>Lets it end.</summary>
    public Task StopAsync() => EndAsync("-TERM");

    public void Dispose() => EndAsync("-KILL").GetAwaiter().GetResult();

    private async Task EndAsync(string signal)
    {
        lock (gate)
        {
            isMeantToEnd = true;
            if (process is not null)
            {
                _ = Tool.Require("kill").Run(signal, process.Id.ToString(CultureInfo.InvariantCulture));
            }
        }

        await life.WaitAsync(Patience);
    }

    private async Task LiveAsync()
    {
        while (Begin() is { } error)
        {
            while (await process!.StandardOutput.ReadLineAsync() is { } line)
            {
                Hear(line);
            }

            await process.WaitForExitAsync();
            var said = await error;
            lock (gate)
            {
                process.Dispose();
                process = null;
            }

            if (!isMeantToEnd)
            {
                Explain(said);
                await Task.Delay(BeforeRestart);
            }
        }
    }

    /// <returns>What it writes to standard error; null if it is not to be there any more.</returns>
    private Task<string>? Begin()
    {
        lock (gate)
        {
            if (isMeantToEnd)
            {
                return null;
            }

            process = Shell.Start(
                $"Restore-SHBackup -Follow -Database {Shell.Quote(database)} -Destination {Shell.Quote(standby)} {store.DisturbedSourceParameters} -Verbose -ErrorAction Stop{(mayReplace ? " -Force" : "")}",
                store.Environment);
            process.StandardInput.Close();
            return process.StandardError.ReadToEndAsync();
        }
    }

    private void Hear(string line)
    {
        if (line.StartsWith("WARNING", StringComparison.Ordinal))
        {
            tally.Add(line.Contains("anew", StringComparison.Ordinal) ? "standby: restored anew" : "standby: other warnings");
        }
        else if (line.StartsWith("VERBOSE", StringComparison.Ordinal))
        {
            tally.Add("standby: steps");
            mayReplace &= !line.Contains("is at transaction", StringComparison.Ordinal);
        }
    }

    private void Explain(string said)
    {
        if (SoakStore.FaultIn(said) is { } reason)
        {
            tally.Add("standby ended: " + reason);
        }
        else
        {
            tally.Problem($"the standby ended by itself: {said}");
            isMeantToEnd = true;
        }
    }
}
