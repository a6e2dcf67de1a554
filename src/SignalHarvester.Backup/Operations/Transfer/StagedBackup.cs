using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Transfer;

/// <summary>
/// A backup from an object store, fetched with its chain into a directory of its own below .shbackup, for as long as a restore or
/// a test needs it. If fetching stops, the fetched part stays for a week, for the next run.
/// </summary>
internal sealed class StagedBackup : IDisposable
{
    private static readonly TimeSpan LeftOverAge = TimeSpan.FromDays(7);

    private readonly SafeFileHandle guard;
    private readonly string guardPath;

    private StagedBackup(BackupSource source, SafeFileHandle guard, string guardPath)
    {
        Source = source;
        this.guard = guard;
        this.guardPath = guardPath;
    }

    /// <summary>The backup on this machine.</summary>
    public BackupSource Source { get; }

    /// <summary>Fetches a backup.</summary>
    /// <param name="id">The backup's id.</param>
    /// <param name="store">Where it is.</param>
    /// <param name="home">The backup directory below which it is fetched. A missing directory is made.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="BackupException">As in <see cref="ReceiveBackup.Run"/>.</exception>
    public static StagedBackup Fetch(string id, StoreCatalog store, BackupDirectory home, OperationContext context)
    {
        home.RefuseLinks();
        var guardPath = Path.Combine(home.Layout.StagingFolder, id + ".lock");
        SafeFileHandle? guard = null;
        try
        {
            DurableFile.CreateDirectory(home.Layout.StateFolder);
            PrivateFolder.Create(home.Layout.StagingFolder);
            DeleteLeftOvers(home.Layout.StagingFolder, context);
            guard = RegularFile.Open(guardPath, FileMode.OpenOrCreate, FileAccess.Write, DurableFile.Exclusive);
            var directory = new BackupDirectory(Path.Combine(home.Layout.StagingFolder, id), context.Clock);
            return new StagedBackup(BackupSource.In(directory, ReceiveBackup.Run(id, store, directory, context)), guard, guardPath);
        }
        catch (IOException exception) when (guard is null && DiskFault.IsHeldElsewhere(exception))
        {
            throw new BackupException(
                BackupErrorId.CloudTransferInProgress, id,
                $"Another process is restoring or testing '{id}' from '{store.Location}' at the moment, with the same backup directory. Wait until it has finished, or give another -BackupDirectory.",
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            guard?.Dispose();
            throw DiskFault.From(
                exception, home.Path, BackupErrorId.DirectoryNotWritable,
                "The download needs temporary room: give a directory that this account may write to with -BackupDirectory.");
        }
        catch
        {
            guard?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (var staging = HeldFolder.Open(Path.GetDirectoryName(guardPath)!))
        {
            staging.DeleteAll(Source.Backup.Id);
            staging.Delete(Path.GetFileName(guardPath));
        }

        RegularFile.Release(guard);
    }

    private static void DeleteLeftOvers(string folder, OperationContext context)
    {
        // In either direction, because otherwise a folder dated by a clock that was ahead would stay until that date. It is unknown which
        // of two clocks is right, so a folder that another process holds always stays.
        using var staging = HeldFolder.Open(folder);
        foreach (var left in new DirectoryInfo(folder).EnumerateDirectories()
            .Where(left => (context.Clock.GetUtcNow() - left.LastWriteTimeUtc).Duration() > LeftOverAge))
        {
            var lockName = left.Name + ".lock";
            try
            {
                using var held = staging.OpenFile(lockName, FileMode.OpenOrCreate, FileAccess.Write, DurableFile.Exclusive);
                context.Verbose($"Deleting the download '{left.FullName}', which is older than a week.");
                staging.DeleteAll(left.Name);
                staging.Delete(lockName);
            }
            catch (IOException exception) when (exception is NotAFileException || DiskFault.IsHeldElsewhere(exception))
            {
                // A restore or a test is using it, or it is not ours.
            }
        }
    }
}
