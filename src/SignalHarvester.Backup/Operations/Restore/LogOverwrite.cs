using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Writes an image into a file that SQLite cannot open and that must stay the same file, because it is mounted by itself or has
/// other names. The image becomes a write-ahead log with all its pages. One rename puts the log beside the file, and SQLite
/// applies it. Before the rename it is the unusable file, afterwards the new database, whatever happens to this process.
/// </summary>
internal sealed class LogOverwrite(RestoreTarget target, string imagePath, TimeSpan lockTimeout, OperationContext context)
{
    private const int PauseMilliseconds = 20;

    private readonly DatabaseLocks locks = new(target.Path, lockTimeout, context);

    /// <summary>Overwrites the file.</summary>
    /// <param name="inspect">Reads the result back and checks it.</param>
    /// <returns>The checks made of the result.</returns>
    /// <exception cref="BackupException">DestinationLocked: others have it open; RestoreVerificationFailed, and the other errors of a restore.</exception>
    public IReadOnlyList<VerificationCheck> Run(Func<SqliteConnection, IReadOnlyList<VerificationCheck>> inspect)
    {
        using (var connection = locks.Connect())
        {
            var main = SqliteFile.Main(connection.Handle!);
            LockAlone(main);
            try
            {
                // An idle process may know the damaged database by its change counter.
                var log = WriteLog(new ChangeCounter((uint)DatabaseLocks.ChangeCounter(connection)));
                target.ReplaceLog(log);
            }
            finally
            {
                main.Unlock();
            }
        }

        using var restored = locks.Connect();
        DeltaOverwrite.Checkpoint(restored, target.Path, context);
        return inspect(restored);
    }

    private void LockAlone(SqliteFile main)
    {
        var started = Stopwatch.GetTimestamp();
        while (main.TryLockAlone() is var code and not raw.SQLITE_OK)
        {
            if (!SqliteResult.IsBusy(code) || Stopwatch.GetElapsedTime(started) >= lockTimeout)
            {
                throw locks.Fault(code);
            }

            _ = context.Cancellation.WaitHandle.WaitOne(PauseMilliseconds);
            context.Cancellation.ThrowIfCancellationRequested();
        }
    }

    private string WriteLog(ChangeCounter counter)
    {
        using var image = OpenImage();
        var length = image.PageCount * image.PageSize;
        FreeSpace.Require(target.Folder, length, "the restored database");
        var path = Path.Combine(Path.GetDirectoryName(imagePath)!, "log");
        using var handle = DurableFile.CreatePrivate(path, FileShare.None);
        using var flush = new SteadyFlush(handle);
        using var log = new StoredFileWriter(handle, flush, () => { });
        using var meter = context.Meter($"Restoring into {Path.GetFileName(target.Path)}", length);
        _ = WalWriter.Write(image.PageSize, image.PageCount, Pages(image), Read, log, CompressionType.None, 0, meter, context.Cancellation);
        FileOwnership.Copy(SqliteDescriptors.AccessOf(target.Path), handle);
        flush.Finish();
        return path;

        void Read(long page, Span<byte> buffer)
        {
            image.Read(page, buffer);
            if (page == 1)
            {
                counter.Advance(buffer);
            }
        }
    }

    private FileImage OpenImage()
    {
        Span<byte> header = stackalloc byte[DatabaseHeader.Size];
        using (var file = File.OpenHandle(imagePath))
        {
            _ = file.ReadFully(header, 0);
        }

        return FileImage.Open(imagePath, DatabaseHeader.PageSize(header));
    }

    /// <summary>Returns all pages except the lock page, which a log never holds.</summary>
    private static IEnumerable<long> Pages(FileImage image)
    {
        for (long page = 1; page <= image.PageCount; page++)
        {
            if ((page - 1) * image.PageSize != DatabaseHeader.LockByteOffset)
            {
                yield return page;
            }
        }
    }
}
