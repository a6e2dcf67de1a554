using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SQLitePCL;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// Keeps the write-ahead log of a database in use, so that every commit can be read from it before the log begins anew. Two read
/// locks are handed over hand over hand: a mark while there is work, read lock 0 at rest. Nothing is written to the database but the
/// log's own frames, by SQLite's own checkpoints. One thread at a time may use it.
/// </summary>
/// <remarks>
/// While read lock 0 is held, no checkpoint copies frames (walCheckpoint in SQLite's wal.c takes it exclusively first), and a log with
/// frames that were not copied never begins anew; while a mark is held, it does not begin anew either (walRestartLog). So each
/// lock covers the taking of the other. docs/ARCHITECTURE.md has the whole argument.
/// </remarks>
internal sealed class LogHolder : IDisposable
{
    // https://sqlite.org/c3ref/c_checkpoint_full.html
    private const int Passive = 0;
    private const int Truncate = 3;

    private const int WaitsBeforeLettingGo = 5;
    private const int RestAttempts = 20;

    private static readonly TimeSpan BriefQuiet = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan CheckpointPause = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly HolderOptions options;
    private readonly TimeProvider clock;
    private readonly LogCursor cursor;
    private readonly HeldFiles files;
    private HoldingConnection first;
    private HoldingConnection? second;
    private IndexView index;
    private HoldingConnection? marked;
    private HoldingConnection? resting;
    private WalIndexHeader mark = new(0, 0, default, 0, 0);
    private long lastChange;
    private long lastCheckpoint;
    private long restBegan;
    private int waits;
    private bool isTruncated;
    private bool wasTorn;

    private LogHolder(
        string path, ICommitSink sink, HolderOptions options, TimeProvider clock, HoldingConnection first, HeldFiles files)
    {
        this.path = path;
        this.options = options;
        this.clock = clock;
        this.first = first;
        this.files = files;
        index = new IndexView(first.Main);
        PageSize = (int)SqliteConnections.ScalarInt64(first.Connection, "PRAGMA page_size");
        cursor = new LogCursor(PageSize, sink);
        lastChange = lastCheckpoint = clock.GetTimestamp();
    }

    /// <summary>Bytes in a page.</summary>
    public int PageSize { get; }

    /// <summary>How the log is held.</summary>
    public HolderState State => marked is not null ? HolderState.Follow : resting is not null ? HolderState.Rest : HolderState.Open;

    /// <summary>The place up to which the log was read.</summary>
    public WalIndexHeader Position => cursor.Position;

    /// <summary>Bytes of frames in the log.</summary>
    public long LogBytes => Position.MaxFrame * (long)(WalFormat.FrameHeaderSize + PageSize);

    /// <summary>
    /// At rest: the database file, which holds everything up to <see cref="Position"/>, as it was when rest began. Null otherwise, and until that
    /// is past: a later write in the same instant would not change the file's time.
    /// </summary>
    public FileMark? RestMark => State == HolderState.Rest ? files.RestMark(clock) : null;

    /// <summary>Whether it is at rest with an empty log, so that a look only compares, until there is news.</summary>
    public bool IsStill => State == HolderState.Rest && (isTruncated || Position.MaxFrame == 0 || !options.Checkpoints);

    /// <summary>Whether a look has more to do than to compare. To ask takes no lock.</summary>
    public bool HasNews => !IsStill || index.TryRead() != Position || files.AreReplaced;

    /// <summary>Opens a database.</summary>
    /// <param name="path">Its full path; links are followed already.</param>
    /// <param name="sink">Takes the commits.</param>
    /// <param name="options">When to checkpoint.</param>
    /// <param name="clock">The clock for pauses.</param>
    /// <exception cref="BackupException">DatabaseOpenInProcess; ProtectionRefused: it is not in WAL mode.</exception>
    /// <exception cref="SqliteException">SQLite cannot open or read it.</exception>
    public static LogHolder Open(string path, ICommitSink sink, HolderOptions options, TimeProvider clock)
    {
        var files = HeldFiles.Of(path);
        var first = HoldingConnection.Open(path);
        try
        {
            RequireWal(first, path);
            files.NoteIndex();
            return new LogHolder(path, sink, options, clock, first, files);
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    /// <summary>The error of a database that others do not let be opened.</summary>
    /// <param name="path">The database.</param>
    /// <param name="code">SQLite's result.</param>
    /// <param name="inner">Where that came from; null if from no exception.</param>
    public static BackupException Busy(string path, int code, Exception? inner = null) => new(
        BackupErrorId.SourceLocked, path,
        $"'{path}' was locked by another process the whole time (SQLite's result {code.ToString(CultureInfo.InvariantCulture)}). An application with PRAGMA locking_mode = EXCLUSIVE never releases it: let it use NORMAL, then start the protection again.",
        inner);

    /// <summary>Takes the first hold, and reads on from where an earlier holder ended.</summary>
    /// <param name="place">The place in the log up to which it was read; null if the log was empty, or nothing was read before.</param>
    /// <param name="rest">The database file when everything up to that place was in it; null if it was not.</param>
    /// <returns>Why the log does not continue from there, as a clause; null if it does.</returns>
    /// <exception cref="SqliteException">SQLite fails.</exception>
    public string? Begin(LogPlace? place, FileMark? rest)
    {
        for (var attempt = 1; State == HolderState.Open; attempt++)
        {
            var code = first.TryMark(out var end);
            if (end is not null)
            {
                Mark(first, end);
            }
            else if (code == raw.SQLITE_OK && first.TryRest())
            {
                // A commit may have come before the lock.
                if (index.TryRead() is { MaxFrame: 0 })
                {
                    BeginRest(first);
                }
                else
                {
                    first.Release();
                }
            }

            if (State == HolderState.Open && attempt >= RestAttempts)
            {
                throw Busy(path, code);
            }
        }

        var header = marked is not null ? mark : index.TryRead() ?? throw Busy(path, raw.SQLITE_BUSY);
        lastChange = clock.GetTimestamp();
        if (place is { } known && cursor.TryContinue(ReadFrom(Held.Log), known, header))
        {
            ReadOn(header, isProved: true);
            return null;
        }

        if (rest is not null && rest == FileMark.Of(path))
        {
            // Nobody has written to the database file since, so no frame was copied to it, and a log with frames that were not
            // copied never begins anew: all commits since are in this log.
            cursor.GoToBeginning(header);
            ReadOn(header, isProved: true);
            return null;
        }

        cursor.GoTo(header);
        return place is null && rest is null ? "nothing is known of it" : "its log was begun anew meanwhile, or was cut back";
    }

    /// <summary>At rest: gives back what it does not need while nothing happens, the connection that holds nothing above all.</summary>
    public void Shrink()
    {
        if (second is not null && marked is null && resting is not null)
        {
            (first, second) = resting == first ? (first, second) : (second, first);
            index = new IndexView(first.Main);
            second.Dispose();
            second = null;
        }

        first.ReleaseMemory();
    }

    /// <summary>Looks once: reads what is new, and moves the hold where that is due.</summary>
    /// <returns>False if somebody kept us from reading what was committed before.</returns>
    /// <exception cref="DatabaseReplacedException">
    /// The path leads elsewhere by now, or the file was overwritten. Close it with <see cref="CloseReplaced"/>.
    /// </exception>
    /// <exception cref="SqliteException">SQLite fails.</exception>
    /// <exception cref="SqliteIOException">The operating system fails.</exception>
    public bool Look()
    {
        files.RefuseReplaced();
        if (index.TryRead() is not { } header)
        {
            MendTorn();
            return false;
        }

        wasTorn = false;
        var before = Position;
        if (marked is null)
        {
            LookAtRest(header);
        }
        else
        {
            LookAtLog(header);
        }

        return header == before || Position != before;
    }

    /// <summary>
    /// Reads on to a snapshot that another connection of this process has pinned, and not beyond it. The last look must have come before it.
    /// </summary>
    /// <param name="snapshot">The snapshot; null if its log had no frames.</param>
    /// <returns>False if somebody kept us from it, so that the position is not that of the snapshot.</returns>
    public bool ReadTo(WalIndexHeader? snapshot)
    {
        if (snapshot is not { MaxFrame: > 0 })
        {
            // An empty log: nobody has committed since the last look, because what we hold keeps the frames of whoever does.
            return true;
        }

        if (snapshot == Position)
        {
            return true;
        }

        if (marked is null)
        {
            if (TakeSpare() is not { } spare || spare.TryMark(out var end) != raw.SQLITE_OK || end is null)
            {
                return false;
            }

            Mark(spare, end);
            lastChange = clock.GetTimestamp();
        }

        ReadOn(snapshot, isProved: false);
        LeaveRestIfSafe();
        return Position == snapshot;
    }

    /// <summary>
    /// Leaves the database as an application does: what is in the log is copied to the database file, and the last one to leave deletes
    /// the log.
    /// </summary>
    public void Close()
    {
        if (options.Checkpoints && marked is not null && TakeSpare() is { } spare && spare.IsCheckpointLockFree())
        {
            Checkpoint();
        }

        LeaveRest();
        marked?.Release();
        marked = null;
        files.RefuseReplaced();
        second?.Dispose();
        first.CheckpointOnClose();
        first.Dispose();
    }

    /// <summary>
    /// Leaves a database that is not the one at its path any more. If nobody has committed since, its log is emptied first: else its
    /// frames would be taken for those of the database that came in its place. A file that was moved, and is or was in use under its new name, with another
    /// log beside it, is not written: its log is put aside if nothing has come in its place, and nobody has that open.
    /// </summary>
    /// <returns>What somebody has to know of the log, as a sentence; null if nothing.</returns>
    public string? CloseReplaced()
    {
        var isOurs = index.TryRead() == Position;
        var isMoved = files.WhyMoved() is not null;
        var isCopied = index.Backfilled >= Position.MaxFrame;
        var isGone = files.IsIndexGone;
        LeaveRest();
        marked?.Release();
        marked = null;
        second?.Dispose();
        second = null;
        var isUsed = isOurs && !isGone && isMoved && !isCopied && (!first.Main.TryLockAgainstOthers() || files.MayBeUsedSince());
        if (isOurs && !isGone && (isMoved || isCopied) && !isUsed)
        {
            // Moved: the frames go to the file that moved away, where they belong. Overwritten: no page is written.
            _ = first.Checkpoint(Truncate);
        }

        var isLogUsed = SqliteDescriptors.IsLogUsedByOthers(path);
        first.Dispose();
        return !isUsed ? null : isLogUsed ? files.LogStays : files.PutLogAside();
    }

    /// <summary>Closes the connections; nothing is checkpointed.</summary>
    public void Dispose()
    {
        second?.Dispose();
        first.Dispose();
    }

    private HoldingConnection Held => marked ?? resting!;

    /// <summary>Returns the connection that holds nothing, opened if there is none; null while both hold something, or while the database is busy.</summary>
    /// <exception cref="DatabaseReplacedException">The path leads elsewhere by now.</exception>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    private HoldingConnection? TakeSpare() => IsFree(first) ? first : second is null ? TryOpenSecond() : IsFree(second) ? second : null;

    private bool IsFree(HoldingConnection connection) => connection != marked && connection != resting;

    private HoldingConnection? TryOpenSecond()
    {
        files.RefuseReplaced();
        HoldingConnection opened;
        try
        {
            opened = HoldingConnection.Open(path);
        }
        catch (SqliteException exception) when (SqliteResult.IsBusy(exception.SqliteErrorCode))
        {
            return null;
        }

        // SQLite maps the index once for all connections to the same file.
        if (opened.Touch() != raw.SQLITE_OK || !index.IsOf(opened.Main))
        {
            opened.Dispose();
            files.RefuseReplaced();
            return null;
        }

        return second = opened;
    }

    private static void RequireWal(HoldingConnection connection, string path)
    {
        var mode = SqliteConnections.Strings(connection.Connection, "PRAGMA journal_mode")[0];
        if (mode != "wal" || connection.Touch() != raw.SQLITE_OK)
        {
            throw new BackupException(
                BackupErrorId.ProtectionRefused, BackupErrorCategory.InvalidOperation, path,
                $"'{path}' is in journal mode '{mode}', and only a database in WAL mode can be protected continuously: its log has the commits. It was not changed. Let its application set PRAGMA journal_mode = WAL, once, or back it up by a schedule.");
        }
    }

    private static ReadLog ReadFrom(SqliteFile log) => log.IsOpen ? log.Read : (_, _) => false;

    private void LookAtRest(WalIndexHeader header)
    {
        if (header == Position)
        {
            TruncateAtRest();
            return;
        }

        if (TakeSpare() is not { } spare || spare.TryMark(out var end) != raw.SQLITE_OK)
        {
            return;
        }

        if (end is null)
        {
            // The log was emptied: by us, or by a checkpoint of others that found everything copied.
            if (index.TryRead() is { MaxFrame: 0 } empty)
            {
                ReadOn(empty, isProved: false);
                isTruncated = true;
            }

            return;
        }

        Mark(spare, end);
        ReadOn(end, isProved: false);
        LeaveRestIfSafe();
    }

    private void LookAtLog(WalIndexHeader header)
    {
        var isNew = header != Position;
        if (isNew)
        {
            ReadOn(header, isProved: false);
            lastChange = clock.GetTimestamp();
            waits = 0;
        }

        if (resting is not null)
        {
            LeaveRestIfSafe();
            return;
        }

        var quiet = clock.GetElapsedTime(lastChange);
        if (mark.MaxFrame == Position.MaxFrame && index.Backfilled >= Position.MaxFrame && TryRest())
        {
            return;
        }

        var isLong = LogBytes > options.LogTarget;
        if (quiet < BriefQuiet)
        {
            if (isNew && isLong && IsCheckpointDue())
            {
                // The first one leaves a log of which nearly everything is copied, so the second has little to do.
                Checkpoint();
                if (marked is not null)
                {
                    Checkpoint();
                }
            }

            return;
        }

        if (TakeSpare() is not { } spare)
        {
            return;
        }

        if (!spare.IsCheckpointLockFree())
        {
            // Somebody checkpoints, and may wait for the mark to leave its place. At the end of the log it is in nobody's way, unless the readers
            // of others had every slot there; then one may have become free.
            _ = MoveMark();
            return;
        }

        if (((quiet >= options.Quiet || isLong) && IsCheckpointDue()) || IsLeft)
        {
            Checkpoint();
        }
    }

    /// <summary>
    /// Whether everybody else has closed the database. Then what the last of them would have done to its log, had we not been there, is done at once: people
    /// stop an application, and put another file in the database's place.
    /// </summary>
    private bool IsLeft => options.Checkpoints && !SqliteDescriptors.IsUsedByOthers(path);

    private bool IsCheckpointDue() => options.Checkpoints && clock.GetElapsedTime(lastCheckpoint) >= CheckpointPause;

    private void Checkpoint()
    {
        files.RefuseReplaced();
        if (!MoveMark())
        {
            return;
        }

        files.RefuseReplaced();
        _ = TakeSpare()?.Checkpoint(Passive);
        files.NoteCheckpoint();
        lastCheckpoint = clock.GetTimestamp();
        if (index.TryRead() == Position && index.Backfilled >= Position.MaxFrame)
        {
            _ = TryRest();
        }
    }

    /// <summary>Moves the mark to the end of the log: the new one is taken before the old one is let go.</summary>
    private bool MoveMark()
    {
        if (TakeSpare() is not { } spare || spare.TryMark(out var end) != raw.SQLITE_OK || end is null)
        {
            return false;
        }

        var former = marked!;
        Mark(spare, end);
        ReadOn(end, isProved: false);
        former.Release();
        return true;
    }

    private void Mark(HoldingConnection connection, WalIndexHeader end)
    {
        marked = connection;
        mark = end;
    }

    /// <summary>Goes to rest, if with lock 0 held everything is still copied and read.</summary>
    private bool TryRest()
    {
        if (TakeSpare() is not { } spare || !spare.TryRest())
        {
            return false;
        }

        if (index.TryRead() != Position || index.Backfilled < Position.MaxFrame)
        {
            spare.Release();
            return false;
        }

        marked?.Release();
        marked = null;
        BeginRest(spare);
        return true;
    }

    private void BeginRest(HoldingConnection connection)
    {
        resting = connection;
        files.BeginRest();
        restBegan = clock.GetTimestamp();
        isTruncated = false;
    }

    /// <summary>
    /// Lets go of lock 0 once no checkpoint runs that read the index before this log began: it would copy its frames now. That is what SQLite
    /// before 3.51.3 does (https://sqlite.org/wal.html#walreset).
    /// </summary>
    private void LeaveRestIfSafe()
    {
        if (resting is { } connection && (connection.IsCheckpointLockFree() || IsWaitedFor()))
        {
            LeaveRest();
        }
    }

    /// <summary>
    /// Whether a checkpoint waits for lock 0. Only one that has the write lock since before it read the index waits, so it knows this log. All
    /// others give up at once, so if both locks are held by one process for a while, they are one connection's: else a thread would have stood
    /// still between two instructions that long, and SQLite alone is not safe from that either.
    /// </summary>
    private bool IsWaitedFor()
    {
        waits = SqliteDescriptors.IsOneWritingAndCheckpointing(path) ? waits + 1 : 0;
        return waits >= WaitsBeforeLettingGo;
    }

    private void ReadOn(WalIndexHeader end, bool isProved) => cursor.ReadTo(ReadFrom(Held.Log), end, isProved);

    private void LeaveRest()
    {
        files.EndRest();
        resting?.Release();
        resting = null;
        waits = 0;
    }

    private void TruncateAtRest()
    {
        if (!options.Checkpoints || isTruncated || Position.MaxFrame == 0 || (clock.GetElapsedTime(restBegan) < options.TruncateAfter && !IsLeft))
        {
            return;
        }

        // Everything is copied, so it only makes the log empty. If somebody writes, or reads in the log, it is not done now.
        isTruncated = TakeSpare()?.Checkpoint(Truncate) == raw.SQLITE_OK;
        restBegan = clock.GetTimestamp();
    }

    private void MendTorn()
    {
        if (wasTorn)
        {
            // Whoever reads mends it. SQLite before 3.35 cannot while we hold a mark, and would give up.
            _ = TakeSpare()?.Touch();
        }

        wasTorn = !wasTorn;
    }
}
