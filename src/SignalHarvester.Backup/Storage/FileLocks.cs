using System.Globalization;

namespace SignalHarvester.Backup.Storage;

/// <summary>Locks of any process on a file, as the system lists them: looked for without opening the file, whose own locks that would cost.</summary>
internal static class FileLocks
{
    private const string Listing = "/proc/locks";

    /// <summary>Whether a process that can be seen from here has a lock on a file.</summary>
    /// <returns>False where there is none, where the file is not there, and where the system does not tell (all but Linux).</returns>
    /// <remarks>https://man7.org/linux/man-pages/man5/proc_locks.5.html: device, file number and range stand behind the process.</remarks>
    public static bool AreOn(string path) =>
        FileIdentity.Of(path) is { } file && File.Exists(Listing)
        && File.ReadLines(Listing).Any(line => line.Contains(string.Create(CultureInfo.InvariantCulture, $":{file.Inode} "), StringComparison.Ordinal));
}
