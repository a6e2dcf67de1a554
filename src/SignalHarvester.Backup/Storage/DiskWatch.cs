using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Watches the disk of the database while a snapshot is held. A snapshot prevents SQLite from reusing the write-ahead log,
/// so a busy application makes the log grow. The backup stops before the log fills the disk, because then the application
/// could no longer commit.
/// </summary>
internal sealed class DiskWatch
{
    private const long LargestReserve = 256L << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly string databasePath;
    private readonly string folder;
    private readonly long reserve;
    private long lastLook = Stopwatch.GetTimestamp();

    /// <summary>Notes how much is free now. The application keeps a tenth of that, at most 256 MiB.</summary>
    public DiskWatch(string databasePath)
    {
        this.databasePath = databasePath;
        folder = Path.GetDirectoryName(databasePath)!;
        reserve = Math.Min(LargestReserve, FreeSpace.Of(folder) / 10);
    }

    /// <summary>Whether less is free now than the application keeps.</summary>
    public bool IsLow => FreeSpace.Of(folder) < reserve;

    /// <summary>Looks at the disk, twice a second at most.</summary>
    /// <exception cref="BackupException">InsufficientSpace.</exception>
    public void Check()
    {
        if (Stopwatch.GetElapsedTime(lastLook) < Interval)
        {
            return;
        }

        lastLook = Stopwatch.GetTimestamp();
        if (FreeSpace.Of(folder) is var free && free < reserve)
        {
            throw new BackupException(
                BackupErrorId.InsufficientSpace, databasePath, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The backup of '{databasePath}' was stopped, because the database's disk has only {free >> 20} MiB left, and the write-ahead log cannot shrink during the copy. Free some space, or back up to another disk."));
        }
    }
}
