using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// Stops a process right after each call of some kind, so that somebody else can act, and then continues it: a race that would happen
/// now and then happens every time.
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

    /// <summary>Attaches to a process that waits for its command.</summary>
    /// <param name="victim">The process.</param>
    /// <param name="calls">The calls, in strace's form.</param>
    /// <param name="move">Runs while the process is stopped, with strace's line about the call.</param>
    public static async Task<StoppedAfterCalls> AttachAsync(Shbackup victim, string calls, Action<string> move) =>
        new(victim, await Strace.AttachAsync(victim, "-s", "400", "-e", "trace=" + calls, "-e", $"inject={calls}:signal=STOP"), move);

    /// <summary>Releases the process, and throws the error of a move.</summary>
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
        // By thread: its call, and whether it was told to stop because of that.
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
                // strace reports a call in two halves if others come in between.
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
