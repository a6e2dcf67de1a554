using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Host;

/// <summary>Makes a Windows console understand escape sequences; other terminals do so anyway.</summary>
internal static partial class AnsiSupport
{
    private const int StandardOutput = -11;
    private const int StandardError = -12;
    private const uint VirtualTerminalProcessing = 0x0004;

    /// <summary>Gets whether escape sequences can be sent to the terminal, after asking Windows for it.</summary>
    public static bool Enable()
    {
        if (OperatingSystem.IsWindows())
        {
            return Enable(StandardOutput) | Enable(StandardError);
        }

        return Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
    }

    private static bool Enable(int handle)
    {
        nint console = GetStdHandle(handle);
        return GetConsoleMode(console, out uint mode) && SetConsoleMode(console, mode | VirtualTerminalProcessing);
    }

    [LibraryImport("kernel32")]
    private static partial nint GetStdHandle(int handle);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetConsoleMode(nint console, out uint mode);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetConsoleMode(nint console, uint mode);
}
