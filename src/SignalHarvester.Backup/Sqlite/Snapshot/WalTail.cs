namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// The pages committed to the write-ahead log after a place in it, as a read transaction of SQLite sees them: each once, in
/// its newest version. The database file is not read.
/// </summary>
internal sealed class WalTail
{
    private readonly LiveDatabase database;
    private readonly WalIndexHeader snapshot;
    private readonly SqliteFile wal;
    private readonly Dictionary<long, uint> frames;

    private WalTail(LiveDatabase database, WalIndexHeader snapshot, SqliteFile wal, WalOverlay overlay)
    {
        this.database = database;
        this.snapshot = snapshot;
        this.wal = wal;
        var pages = overlay.UpTo(database.PageCount).ToList();
        Pages = [.. pages.Select(entry => (long)entry.Page)];
        frames = pages.ToDictionary(entry => (long)entry.Page, entry => entry.Frame);
    }

    /// <summary>The pages, ascending.</summary>
    public IReadOnlyList<long> Pages { get; }

    /// <summary>Reads the log between a place and the snapshot's end.</summary>
    /// <returns>Null if the log does not provably continue from that place.</returns>
    /// <exception cref="SnapshotLostException">The log does not agree with the snapshot.</exception>
    public static WalTail? Read(LiveDatabase database, WalIndexHeader snapshot, WalPosition after, CancellationToken cancellation)
    {
        var wal = SqliteFile.Journal(database.Handle);
        return snapshot.PageCount == database.PageCount
            && WalOverlay.ReadAfter(after, wal, snapshot, database.PageSize, cancellation) is { } overlay
            ? new WalTail(database, snapshot, wal, overlay)
            : null;
    }

    /// <summary>Reads one of the pages.</summary>
    public void ReadPage(long page, Span<byte> buffer)
    {
        if (!wal.Read(WalFormat.FrameOffset(frames[page], database.PageSize) + WalFormat.FrameHeaderSize, buffer))
        {
            throw new SnapshotLostException("the write-ahead log became shorter");
        }
    }

    /// <summary>Confirms, after the last page was read, that the log was not restarted meanwhile.</summary>
    /// <exception cref="SnapshotLostException">It was.</exception>
    public void ConfirmUnchanged() => WalOverlay.ConfirmSame(wal, snapshot);
}
