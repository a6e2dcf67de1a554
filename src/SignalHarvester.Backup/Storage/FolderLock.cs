using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// The only operating-system lock of a backup directory. It is held while names change in the directory, never while data is
/// copied. The folder of registered schedules has one too. The system releases it when the process dies.
/// </summary>
internal static class FolderLock
{
    private const string Name = "lock";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Takes the lock; disposing the handle releases it.</summary>
    /// <param name="stateFolder">The folder with the lock: .shbackup of a backup directory.</param>
    /// <param name="timeout">How long to wait for another process.</param>
    /// <param name="cancellation">Stops the waiting.</param>
    /// <exception cref="BackupException">DirectoryLocked.</exception>
    public static SafeFileHandle Take(string stateFolder, TimeSpan timeout, CancellationToken cancellation) => Take(
        Path.Combine(stateFolder, Name),
        path => RegularFile.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive),
        timeout,
        cancellation);

    /// <summary>Takes the lock in an open folder.</summary>
    /// <param name="stateFolder">The folder with the lock.</param>
    /// <param name="timeout">How long to wait for another process.</param>
    /// <param name="cancellation">Stops the waiting.</param>
    /// <exception cref="BackupException">DirectoryLocked.</exception>
    public static SafeFileHandle Take(HeldFolder stateFolder, TimeSpan timeout, CancellationToken cancellation) => Take(
        Path.Combine(stateFolder.Path, Name),
        _ => stateFolder.OpenFile(Name, FileMode.OpenOrCreate, FileAccess.ReadWrite, DurableFile.Exclusive),
        timeout,
        cancellation);

    private static SafeFileHandle Take(string path, Func<string, SafeFileHandle> open, TimeSpan timeout, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return open(path);
            }
            catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
            {
                if (Stopwatch.GetElapsedTime(started) >= timeout)
                {
                    throw new BackupException(
                        BackupErrorId.DirectoryLocked, path, string.Create(
                            CultureInfo.InvariantCulture,
                            $"Another process has held the lock '{path}' for {timeout.TotalSeconds} seconds. Wait until it has finished, then try again."),
                        exception);
                }
            }

            cancellation.WaitHandle.WaitOne(Pause);
        }
    }
}
