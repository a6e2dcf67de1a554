using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// Kills a process right before it renames or deletes for the n-th time: strace sends SIGKILL as the call enters the
/// kernel, which does not carry it out any more. Between two such calls a run only makes and fills files that do not
/// count yet, so that the numbers from 1 on leave nothing out.
/// </summary>
/// <remarks>strace counts each thread's calls by themselves. An operation changes names on one thread alone.</remarks>
internal sealed class KilledBeforeCall : IDisposable
{
    private readonly Process strace;

    private KilledBeforeCall(Process strace) => this.strace = strace;

    /// <summary>Lies in wait for a process that waits for its command.</summary>
    /// <param name="victim">The process.</param>
    /// <param name="call">rename or unlink, of whatever variant.</param>
    /// <param name="number">Which of these calls, from 1.</param>
    public static async Task<KilledBeforeCall> AttachAsync(Shbackup victim, string call, int number)
    {
        string[] arguments =
        [
            "-f", "-o", "/dev/null", "-e", $"trace=/^{call}",
            "-e", string.Create(CultureInfo.InvariantCulture, $"inject=/^{call}:signal=KILL:when={number}"),
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

        _ = strace.StandardError.ReadToEndAsync();
        return new KilledBeforeCall(strace);
    }

    /// <summary>Waits for strace, which ends with the process that it traces.</summary>
    public void Dispose()
    {
        strace.WaitForExit();
        strace.Dispose();
    }
}
