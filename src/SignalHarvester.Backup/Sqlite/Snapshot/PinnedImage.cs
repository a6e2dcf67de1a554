using System.Globalization;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// The image held by a read transaction of SQLite: the database file, with the write-ahead log's frames laid over it, both
/// read through SQLite's own handles. It never blocks writers in WAL mode.
/// </summary>
internal sealed class PinnedImage : IDatabaseImage
{
    private readonly LiveDatabase database;
    private readonly SqliteFile main;
    private readonly SqliteFile wal;
    private readonly WalIndexHeader? snapshot;
    private readonly WalOverlay overlay;
    private readonly long mainLength;

    /// <summary>Takes the image of a connection that holds a read transaction.</summary>
    /// <param name="database">The connection. The caller closes it.</param>
    /// <param name="snapshot">The pinned snapshot; null in rollback-journal mode and if the log is empty.</param>
    /// <param name="copied">The number of the snapshot's frames that were in the database file before it was pinned.</param>
    /// <param name="cancellation">Stops the reading of the log.</param>
    /// <exception cref="SnapshotLostException">The log does not agree with the snapshot.</exception>
    public PinnedImage(LiveDatabase database, WalIndexHeader? snapshot, uint copied, CancellationToken cancellation)
    {
        this.database = database;
        this.snapshot = snapshot;
        PageSize = database.PageSize;
        PageCount = database.PageCount;
        main = SqliteFile.Main(database.Handle);
        wal = SqliteFile.Journal(database.Handle);
        if (!main.IsOpen)
        {
            throw new SnapshotLostException("SQLite gives no access to its database file");
        }

        if (snapshot is { MaxFrame: > 0 } && snapshot.PageCount != PageCount)
        {
            throw new SnapshotLostException("the page count differs from the snapshot's");
        }

        overlay = snapshot is null ? WalOverlay.Empty : WalOverlay.Read(wal, snapshot, copied, PageSize, cancellation);
        mainLength = main.Length;
    }

    /// <inheritdoc/>
    public int PageSize { get; }

    /// <inheritdoc/>
    public long PageCount { get; }

    /// <inheritdoc/>
    public string Method => "pinned";

    /// <inheritdoc/>
    public long MissingPages { get; private set; }

    /// <inheritdoc/>
    public void Read(long firstPage, Span<byte> buffer)
    {
        var pages = buffer.Length / PageSize;
        var lockPage = (DatabaseHeader.LockByteOffset / PageSize) + 1;
        try
        {
            if (lockPage >= firstPage && lockPage < firstPage + pages)
            {
                // Windows refuses to read bytes that another process has locked. Nothing is stored there.
                var before = (int)(lockPage - firstPage) * PageSize;
                ReadMain(firstPage, buffer[..before]);
                buffer.Slice(before, PageSize).Clear();
                ReadMain(lockPage + 1, buffer[(before + PageSize)..]);
            }
            else
            {
                ReadMain(firstPage, buffer);
            }

            foreach (var (page, frame) in overlay.InRange((uint)firstPage, pages))
            {
                var target = buffer.Slice((int)(page - firstPage) * PageSize, PageSize);
                if (page != lockPage && !wal.Read(WalFormat.FrameOffset(frame, PageSize) + WalFormat.FrameHeaderSize, target))
                {
                    throw new SnapshotLostException("the write-ahead log became shorter");
                }
            }
        }
        catch (SqliteIOException exception)
        {
            throw new BackupException(
                BackupErrorId.ReadFailed, database.Path,
                $"Reading '{database.Path}' failed: {exception.Message} Check the disk and the system log, then run the backup again.", exception);
        }
    }

    /// <inheritdoc/>
    public void ConfirmUnchanged()
    {
        database.ConfirmUnchanged();
        if (snapshot is { MaxFrame: > 0 })
        {
            WalOverlay.ConfirmSame(wal, snapshot);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The read transaction belongs to the connection, which the caller closes.
    }

    private void ReadMain(long firstPage, Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return;
        }

        var offset = (firstPage - 1) * PageSize;
        if (main.Read(offset, buffer))
        {
            return;
        }

        var pages = buffer.Length / PageSize;
        var inLog = overlay.InRange((uint)firstPage, pages).Select(entry => (long)entry.Page).ToHashSet();
        for (var page = Math.Max(firstPage, (mainLength / PageSize) + 1); page < firstPage + pages; page++)
        {
            if (inLog.Contains(page))
            {
                continue;
            }

            if (!database.ToleratesDamage)
            {
                throw new BackupException(
                    BackupErrorId.SourceTruncated, database.Path, string.Create(
                        CultureInfo.InvariantCulture,
                        $"'{database.Path}' is cut short: page {page} of {PageCount} is beyond the end of the file ({mainLength} bytes). Restore it from a backup; to back up the rest of it anyway, add -Force."));
            }

            MissingPages++;
        }
    }
}
