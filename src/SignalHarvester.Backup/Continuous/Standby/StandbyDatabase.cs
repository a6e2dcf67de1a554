using System.Security.Cryptography;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SQLitePCL;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>
/// A database in WAL mode that takes pages as its transactions, while others read it: they are appended to its log as SQLite itself commits, under
/// the write lock, frames first, then the index. Readers see each commit as a whole, and keep their snapshots.
/// </summary>
internal sealed class StandbyDatabase : IDisposable
{
    // https://sqlite.org/walformat.html#wal_locks
    private const int WriteLock = 0;

    // https://sqlite.org/c3ref/c_checkpoint_full.html
    private const int Passive = 0;
    private const int Truncate = 3;

    private readonly string path;
    private readonly HoldingConnection connection;
    private readonly HeldFiles files;
    private readonly IndexView view;
    private readonly LogIndex index;

    private StandbyDatabase(string path, HoldingConnection connection, HeldFiles files)
    {
        this.path = path;
        this.connection = connection;
        this.files = files;
        view = new IndexView(connection.Main);
        index = new LogIndex(connection.Main);
        PageSize = (int)SqliteConnections.ScalarInt64(connection.Connection, "PRAGMA page_size");
        End = view.TryRead() ?? throw BusyAt(path);
    }

    /// <summary>Bytes in a page.</summary>
    public int PageSize { get; }

    /// <summary>Where the log ends, as far as this one has written or found it.</summary>
    public WalIndexHeader End { get; private set; }

    /// <summary>Pages of the database.</summary>
    public uint PageCount => End.MaxFrame > 0 ? End.PageCount : (uint)(connection.Main.Length / PageSize);

    /// <summary>Opens a database.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="BackupException">DatabaseOpenInProcess; DestinationInvalid: it is not in WAL mode; SourceLocked.</exception>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">SQLite cannot open it.</exception>
    /// <exception cref="DatabaseReplacedException">It is not there.</exception>
    public static StandbyDatabase Open(string path)
    {
        var files = HeldFiles.Of(path);
        var connection = HoldingConnection.Open(path);
        try
        {
            if (connection.Touch() is not raw.SQLITE_OK and var code && SqliteResult.IsBusy(code))
            {
                throw BusyAt(path);
            }

            if (!connection.Log.IsOpen || !connection.Main.HasIndex)
            {
                throw new BackupException(
                    BackupErrorId.DestinationInvalid, path,
                    $"'{path}' is not in WAL mode, so it cannot follow another database while it is read: somebody has changed that. If nobody needs it, delete it, and start again.");
            }

            files.NoteIndex();
            return new StandbyDatabase(path, connection, files);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Makes the frames of an append, which say where the log will end. Nothing is written.</summary>
    /// <param name="pages">The pages, each once; at least one.</param>
    /// <param name="pageCount">Pages of the database after them.</param>
    public PlannedAppend Plan(IReadOnlyList<FollowedPage> pages, uint pageCount)
    {
        var isNew = End.MaxFrame == 0;
        var salts = isNew && End.Salts == 0 ? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) : End.Salts;
        var header = new byte[isNew ? WalFormat.HeaderSize : 0];
        var checksum = isNew ? WalFormat.WriteHeader(header, PageSize, salts) : End.FrameChecksum;
        var frames = pages.Select(page => new byte[WalFormat.FrameHeaderSize + PageSize]).ToList();
        for (var at = 0; at < pages.Count; at++)
        {
            pages[at].Content.CopyTo(frames[at].AsMemory(WalFormat.FrameHeaderSize));
            checksum = WalFormat.WriteFrame(frames[at], pages[at].Number, at == pages.Count - 1 ? pageCount : 0, salts, checksum);
        }

        var after = new WalIndexHeader(End.MaxFrame + (uint)pages.Count, pageCount, checksum, salts, unchecked(End.Changes + 1));
        return new PlannedAppend(header, frames, [.. pages.Select(page => page.Number)], End, after);
    }

    /// <summary>Appends, and flushes before anybody sees it.</summary>
    /// <param name="planned">What <see cref="Plan"/> has returned last.</param>
    /// <exception cref="DatabaseReplacedException">The path leads elsewhere by now.</exception>
    /// <exception cref="SqliteIOException">The operating system failed. Then nothing is committed.</exception>
    public AppendOutcome Append(PlannedAppend planned)
    {
        files.RefuseReplaced();
        if (connection.Main.TryLockIndex(WriteLock, isShared: false) != raw.SQLITE_OK)
        {
            return AppendOutcome.Busy;
        }

        try
        {
            if (view.TryRead() is not { } now)
            {
                return AppendOutcome.Busy;
            }

            if (!IsSame(now, planned.Before) || (now.MaxFrame > 0 && !index.IsNative))
            {
                return AppendOutcome.Changed;
            }

            if (now != planned.Before)
            {
                End = now;
                return AppendOutcome.Busy;
            }

            Write(planned);
            index.Enter(planned.Before.MaxFrame, planned.Pages);
            index.Publish(planned.After, PageSize);
            End = planned.After;
            return AppendOutcome.Appended;
        }
        finally
        {
            connection.Main.UnlockIndex(WriteLock, isShared: false);
        }
    }

    /// <summary>Lets SQLite mend an index that somebody has left torn.</summary>
    public void Mend() => _ = connection.Touch();

    /// <summary>Whether the log ends where this one has left it, or was only copied to the database file since.</summary>
    /// <exception cref="DatabaseReplacedException">The path leads elsewhere by now.</exception>
    public bool IsUnchanged()
    {
        files.RefuseReplaced();
        return view.TryRead() is { } now && IsSame(now, End);
    }

    /// <summary>Whether the database is as a follower left it at a place.</summary>
    public bool IsAt(StandbyPlace place) => End.MaxFrame == 0
        ? place.Rest is not null && place.Rest == FileMark.Of(path)
        : place.Log is not null && place.Log == LogPlace.Of(End)?.ToPosition();

    /// <summary>Copies the log to the database file, as far as readers allow it.</summary>
    /// <returns>The file, if it has everything now; null if the log still has a part of it alone.</returns>
    public FileMark? Copy()
    {
        if (End.MaxFrame > 0)
        {
            _ = connection.Checkpoint(Passive);
        }

        return IsUnchanged() && (End.MaxFrame == 0 || view.Backfilled >= End.MaxFrame) ? FileMark.Of(path) : null;
    }

    /// <summary>Empties a log that is copied, if nobody reads it. That writes nothing to the database file.</summary>
    public void Empty()
    {
        if (End.MaxFrame > 0 && connection.Checkpoint(Truncate) == raw.SQLITE_OK && view.TryRead() is { MaxFrame: 0 } now && now.Changes == End.Changes)
        {
            End = now;
        }
    }

    /// <summary>Leaves the database as an application does: the last one to leave copies the log, and deletes it.</summary>
    public void Close()
    {
        connection.CheckpointOnClose();
        connection.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private static BackupException BusyAt(string path) => new(
        BackupErrorId.SourceLocked, path, $"'{path}' was locked by another process. Try again when it is not.");

    /// <summary>Whether nobody has committed between two ends. The log may have been copied and begun anew, by somebody's checkpoint.</summary>
    private static bool IsSame(WalIndexHeader now, WalIndexHeader then) => now.Changes == then.Changes && (now.MaxFrame == 0 || now == then);

    private void Write(PlannedAppend planned)
    {
        var log = connection.Log;
        if (planned.Header.Length > 0)
        {
            log.Write(0, planned.Header);

            // As SQLite does: frames of an earlier log must not be found behind a header that has not arrived.
            log.Sync();
        }

        var offset = WalFormat.FrameOffset(planned.Before.MaxFrame + 1, PageSize);
        foreach (var frame in planned.Frames)
        {
            log.Write(offset, frame);
            offset += frame.Length;
        }

        log.Sync();
    }
}
