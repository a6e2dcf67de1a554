using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Storage;

/// <summary>Tells how much room a folder's disk has.</summary>
internal static partial class FreeSpace
{
    /// <summary>Bytes that this account may still write below a folder.</summary>
    /// <exception cref="IOException">The operating system does not say.</exception>
    public static long Of(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }

        // DriveInfo accepts only drive letters; this call also accepts shares and mounted folders.
        return GetDiskFreeSpaceEx(Path.TrimEndingDirectorySeparator(folder) + "\\", out var available, out _, out _)
            ? (long)Math.Min(available, long.MaxValue)
            : throw new IOException($"Cannot read the free space of '{folder}': {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    /// <summary>Refuses work for which there is no room.</summary>
    /// <param name="folder">Where the result goes.</param>
    /// <param name="needed">The least number of bytes that the work needs.</param>
    /// <param name="purpose">What for, as the end of "… is needed for".</param>
    /// <exception cref="BackupException">InsufficientSpace.</exception>
    public static void Require(string folder, long needed, string purpose)
    {
        var free = Of(folder);
        if (free < needed)
        {
            throw new BackupException(
                BackupErrorId.InsufficientSpace, folder, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The disk of '{folder}' has {free >> 20} MiB free, but at least {(needed >> 20) + 1} MiB is needed for {purpose}. Free some space, remove old backups with Remove-SHBackup, or use another directory."));
        }
    }

    [LibraryImport("kernel32", EntryPoint = "GetDiskFreeSpaceExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetDiskFreeSpaceEx(string folder, out ulong available, out ulong total, out ulong free);
}
