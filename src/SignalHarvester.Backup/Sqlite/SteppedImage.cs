using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The image as SQLite's backup API copies it, step by step, into a temporary database. The fallback where a snapshot
/// cannot be pinned: it needs room for a second copy, and page 1's counters differ from the source's.
/// </summary>
internal sealed class SteppedImage : IDatabaseImage
{
    private const int PagesAStep = 1024;

    private readonly SafeFileHandle file;

    private SteppedImage(SafeFileHandle file, int pageSize, long pageCount)
    {
        this.file = file;
        PageSize = pageSize;
        PageCount = pageCount;
    }

    /// <inheritdoc/>
    public int PageSize { get; }

    /// <inheritdoc/>
    public long PageCount { get; }

    /// <inheritdoc/>
    public string Method => "stepped";

    /// <inheritdoc/>
    public long MissingPages => 0;

    /// <summary>Copies the database of a connection that holds a read transaction, so that no writer restarts the copy.</summary>
    /// <param name="database">The connection.</param>
    /// <param name="temporaryPath">Where to put the copy; it is deleted when the image is disposed.</param>
    /// <param name="afterStep">Called after each step.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <exception cref="BackupException">SourceCorrupt, SourceLocked, WriteFailed.</exception>
    public static SteppedImage Copy(LiveDatabase database, string temporaryPath, Action afterStep, CancellationToken cancellation)
    {
        using (var copy = SqliteConnections.Create(temporaryPath))
        {
            SqliteConnections.Execute(copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;");
            _ = SqliteCopy.Run(
                database.Handle,
                copy.Handle!,
                PagesAStep,
                TimeSpan.FromSeconds(1),
                () => true,
                (_, _) => afterStep(),
                code => throw database.Fault(code),
                cancellation);
        }

        var handle = File.OpenHandle(temporaryPath, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.DeleteOnClose | FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(handle);
        return new SteppedImage(handle, database.PageSize, length / database.PageSize);
    }

    /// <inheritdoc/>
    public void Read(long firstPage, Span<byte> buffer)
    {
        var offset = (firstPage - 1) * PageSize;
        for (var done = 0; done < buffer.Length;)
        {
            var read = RandomAccess.Read(file, buffer[done..], offset + done);
            if (read == 0)
            {
                throw new EndOfStreamException(string.Create(CultureInfo.InvariantCulture, $"The temporary copy ended at byte {offset + done}."));
            }

            done += read;
        }

        var lockOffset = DatabaseHeader.LockByteOffset - offset;
        if (lockOffset >= 0 && lockOffset < buffer.Length)
        {
            buffer.Slice((int)lockOffset, PageSize).Clear();
        }
    }

    /// <inheritdoc/>
    public void ConfirmUnchanged()
    {
        // The copy is a file of our own.
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
