using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// The one operating-system lock of a backup directory, held while its names change, never while data is copied; and that of
/// the registered schedules. The system drops it when the process dies.
/// </summary>
internal static class DirectoryLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Takes the lock; disposing the handle gives it back.</summary>
    /// <param name="stateFolder">The folder that the lock lies in: .shbackup of a backup directory.</param>
    /// <param name="timeout">How long to wait for another process.</param>
    /// <param name="cancellation">Stops the waiting.</param>
    /// <exception cref="BackupException">DirectoryLocked.</exception>
    public static SafeFileHandle Take(string stateFolder, TimeSpan timeout, CancellationToken cancellation)
    {
        var path = Path.Combine(stateFolder, "lock");
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return RegularFile.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive);
            }
            catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
            {
                if (Stopwatch.GetElapsedTime(started) >= timeout)
                {
                    throw new BackupException(
                        BackupErrorId.DirectoryLocked, path, string.Create(CultureInfo.InvariantCulture, $"Another process has held the lock '{path}' for {timeout.TotalSeconds} seconds. Wait for it to finish, then try again."), exception);
                }
            }

            cancellation.WaitHandle.WaitOne(Pause);
        }
    }
}
