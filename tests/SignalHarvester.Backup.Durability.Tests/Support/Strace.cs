using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>strace, attached to a process that waits for its command.</summary>
internal static class Strace
{
    /// <summary>Attaches to all threads of a process; skips the running test, visibly, where nobody may.</summary>
    /// <param name="victim">The process.</param>
    /// <param name="arguments">What to trace, and what to do then.</param>
    public static async Task<Process> AttachAsync(Shbackup victim, params string[] arguments)
    {
        Tool.Require("strace");
        string[] attaching = ["-f", .. arguments, "-p", victim.Id.ToString(CultureInfo.InvariantCulture)];
        var strace = Process.Start(new ProcessStartInfo(Tool.Find("strace")!, attaching) { RedirectStandardError = true })!;
        var told = await strace.StandardError.ReadLineAsync();
        if (told?.Contains(" attached", StringComparison.Ordinal) == true)
        {
            return strace;
        }

        strace.Dispose();
        Assert.Skip("this machine lets nobody trace a process: " + told);
        return strace;
    }
}
