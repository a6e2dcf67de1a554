using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// Stops a process right after each call of some kind, for somebody else to make a move, and lets it go on: what a race would
/// hit now and then happens every time.
/// </summary>
internal sealed class StoppedAfterCalls : IDisposable
{
    private readonly Shbackup victim;
    private readonly Process strace;
    private readonly Task watch;

    private StoppedAfterCalls(Shbackup victim, Process strace, Action<string> move)
    {
        this.victim = victim;
        this.strace = strace;
        watch = Task.Run(() => WatchAsync(move));
    }

    /// <summary>Lies in wait for a process that waits for its command.</summary>
    /// <param name="victim">The process.</param>
    /// <param name="calls">The calls, as strace takes them.</param>
    /// <param name="move">What is done while it is stopped; it is given what strace says of the call.</param>
    public static async Task<StoppedAfterCalls> AttachAsync(Shbackup victim, string calls, Action<string> move)
    {
        string[] arguments =
        [
            "-f", "-s", "400", "-e", "trace=" + calls, "-e", $"inject={calls}:signal=STOP",
            "-p", victim.Id.ToString(CultureInfo.InvariantCulture),
        ];
        Tool.Require("strace");
        var strace = Process.Start(new ProcessStartInfo(Tool.Find("strace")!, arguments) { RedirectStandardError = true })!;
        var told = await strace.StandardError.ReadLineAsync();
        if (told?.Contains(" attached", StringComparison.Ordinal) != true)
        {
            strace.Dispose();
            Assert.Skip("this machine lets nobody trace a process: " + told);
        }

        return new StoppedAfterCalls(victim, strace, move);
    }

    /// <summary>Lets the process go, and tells what went wrong in a move.</summary>
    public void Dispose()
    {
        Tool.Require("kill").Run(strace.Id.ToString(CultureInfo.InvariantCulture));
        strace.WaitForExit();
        watch.GetAwaiter().GetResult();
        strace.Dispose();
        victim.Signal("CONT");
    }

    private async Task WatchAsync(Action<string> move)
    {
        // By thread: what it called, and whether it was told to stop for that.
        var calls = new Dictionary<string, string>();
        var told = new HashSet<string>();
        while (await strace.StandardError.ReadLineAsync() is { } line)
        {
            var thread = line.StartsWith("[pid", StringComparison.Ordinal) ? line[..line.IndexOf(']', StringComparison.Ordinal)] : "";
            if (line.Contains("--- SIGSTOP {", StringComparison.Ordinal))
            {
                told.Add(thread);
            }
            else if (!line.Contains("--- stopped by SIGSTOP", StringComparison.Ordinal))
            {
                // A call that others came between is told in two halves.
                calls[thread] = line.Contains(" resumed>", StringComparison.Ordinal) ? calls.GetValueOrDefault(thread, "") + line : line;
            }
            else if (told.Remove(thread))
            {
                move(calls.GetValueOrDefault(thread, ""));
                victim.Signal("CONT");
            }
        }
    }
}
