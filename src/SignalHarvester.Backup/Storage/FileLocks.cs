using System.Globalization;

namespace SignalHarvester.Backup.Storage;

/// <summary>Finds the locks of any process on a file in the system's list, without opening the file: that would cost us our own locks on it.</summary>
internal static class FileLocks
{
    private const string Listing = "/proc/locks";

    /// <summary>Whether a visible process has a lock on a file.</summary>
    /// <returns>False if there is no lock or no file, and on every system but Linux, which alone lists locks.</returns>
    /// <remarks>https://man7.org/linux/man-pages/man5/proc_locks.5.html: a line has the process, then device, file number and range.</remarks>
    public static bool AreOn(string path) =>
        FileIdentity.Of(path) is { } file && File.Exists(Listing)
        && File.ReadLines(Listing).Any(line => line.Contains(string.Create(CultureInfo.InvariantCulture, $":{file.Inode} "), StringComparison.Ordinal));
}
