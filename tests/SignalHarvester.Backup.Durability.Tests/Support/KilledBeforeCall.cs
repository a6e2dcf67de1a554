using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// Kills a process right before its n-th rename or deletion: strace sends SIGKILL as the call enters the kernel, which then does not
/// carry it out. Between two such calls a run only makes and fills files that do not count yet, so the numbers from 1 upwards leave
/// nothing out.
/// </summary>
/// <remarks>strace counts the calls of each thread separately. An operation changes names on only one thread.</remarks>
internal sealed class KilledBeforeCall : IDisposable
{
    private readonly Process strace;

    private KilledBeforeCall(Process strace) => this.strace = strace;

    /// <summary>Attaches to a process that waits for its command.</summary>
    /// <param name="victim">The process.</param>
    /// <param name="call">rename, unlink or fsync, in any variant.</param>
    /// <param name="number">The number of the call, from 1.</param>
    /// <param name="path">Counts only calls with this path: as the call has it, or that of an open file or folder; null for all.</param>
    public static async Task<KilledBeforeCall> AttachAsync(Shbackup victim, string call, int number, string? path = null)
    {
        var fault = string.Create(CultureInfo.InvariantCulture, $"inject=/^{call}:signal=KILL:when={number}");
        string[] where = path is null ? [] : ["-P", path];
        var strace = await Strace.AttachAsync(victim, ["-o", "/dev/null", "-e", $"trace=/^{call}", "-e", fault, .. where]);
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
