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

    // What the network may do to a start.
    private static readonly string[] Excuses = ["cannot be reached or does not work", "the received data differs from the sent data"];

    private readonly Lock gate = new();
    private Process? process;
    private Task life = Task.CompletedTask;
    private volatile bool isMeantToEnd;
    private volatile bool mayReplace = replaces;

    /// <summary>Whether what is in the standby's place is its own.</summary>
    public bool IsKept => !mayReplace;

    /// <summary>Starts it.</summary>
    public void Start()
    {
        lock (gate)
        {
            isMeantToEnd = false;
            process = Shell.Start(
                $"Restore-SHBackup -Follow -Database {Shell.Quote(database)} -Destination {Shell.Quote(standby)} {store.DisturbedSourceParameters} -Verbose -ErrorAction Stop{(mayReplace ? " -Force" : "")}",
                store.Environment);
            process.StandardInput.Close();
            life = LiveAsync(process);
        }
    }

    /// <summary>Kills it, whatever it is doing.</summary>
    public async Task KillAsync()
    {
        isMeantToEnd = true;
        await EndAsync("-KILL");
        tally.Add("kills of the standby");
    }

    /// <summary>Lets it end.</summary>
    public async Task StopAsync()
    {
        isMeantToEnd = true;
        await EndAsync("-TERM");
    }

    public void Dispose()
    {
        isMeantToEnd = true;
        lock (gate)
        {
            if (!life.IsCompleted)
            {
                process!.Kill();
                _ = life.Wait(Patience);
            }
        }
    }

    private async Task EndAsync(string signal)
    {
        Task ending;
        lock (gate)
        {
            ending = life;
            if (!ending.IsCompleted)
            {
                _ = Tool.Require("kill").Run(signal, process!.Id.ToString(CultureInfo.InvariantCulture));
            }
        }

        await ending.WaitAsync(Patience);
    }

    private async Task LiveAsync(Process of)
    {
        var error = of.StandardError.ReadToEndAsync();
        while (await of.StandardOutput.ReadLineAsync() is { } line)
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

        await of.WaitForExitAsync();
        var said = await error;
        of.Dispose();
        if (isMeantToEnd)
        {
            return;
        }

        if (Array.Find(Excuses, excuse => said.Contains(excuse, StringComparison.Ordinal)) is not { } reason)
        {
            tally.Problem($"the standby ended by itself: {said}");
            return;
        }

        tally.Add("standby ended: " + reason);
        await Task.Delay(BeforeRestart);
        lock (gate)
        {
            if (!isMeantToEnd)
            {
                _ = Task.Run(Start);
            }
        }
    }
}
