using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Xunit;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>Runs code as a user without any rights, to whom file modes apply. Only root can do that, on Linux.</summary>
internal static partial class AnotherUser
{
    private const int Nobody = 65534;

    /// <summary>Sets what everybody may do with a file or folder; skips the running test if there are no such modes.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="rights">Read 4, write 2, execute 1.</param>
    public static void Allow(string path, int rights)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, (UnixFileMode)(rights * 0b001_001_001));
        }
    }

    /// <summary>Runs the code on a thread of its own, whose file accesses are another user's.</summary>
    public static void Run(Action action)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root on Linux can lend a thread another user's rights");
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            _ = SetFileUser(Nobody);
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileUser(int user);
}
