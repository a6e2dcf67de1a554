using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Looks at a database again and again: it takes hold of it when it can, reads what is committed, lets go when another file comes in its
/// place, or when its disk fills up, and takes hold again. It has a thread of its own, except while nothing happens.
/// </summary>
/// <param name="path">The database's full path; links are followed already.</param>
/// <param name="follower">Takes what is read.</param>
/// <param name="rounds">Looks at it while nothing happens.</param>
/// <param name="options">When to checkpoint.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class DatabaseWatch(string path, Follower follower, RestRounds rounds, HolderOptions options, OperationContext context) : IDisposable
{
    private static readonly TimeSpan AtWork = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan AtRest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DiskInterval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(1);

    // A commit is published only after its frames are flushed, and nobody tells of that. Whatever takes longer is seen by the rounds.
    private static readonly TimeSpan ShortestWork = TimeSpan.FromSeconds(2);

    // Without spinning: it waits out its time nearly always, and to spin first was half of the idle processor time.
    private readonly ManualResetEventSlim ended = new(initialState: false, spinCount: 0);
    private readonly DiskWatch disk = new(path);
    private readonly Pulse pulse = new(context.Clock);
    private Thread? thread;
    private bool isStarted;
    private LogPlace? place;
    private FileMark? rest;
    private long lastDiskLook;
    private long workBegan;

    /// <summary>Its files that are written when something is committed, or foreign.</summary>
    public IReadOnlyList<string> Files { get; } = [path, path + "-wal"];

    /// <summary>Why the database is not followed at the moment, as a clause; null if it is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Bytes of frames in its log.</summary>
    public long LogBytes { get; private set; }

    /// <summary>Whether it is looked at, from the start to the stop.</summary>
    /// <param name="patience">How long no progress is no bad sign yet.</param>
    public bool IsAlive(TimeSpan patience) => !isStarted || pulse.IsAlive(patience);

    /// <summary>Whether it is stopped.</summary>
    public bool HasEnded => ended.IsSet;

    /// <summary>Takes hold of the database, and begins to look.</summary>
    /// <param name="from">The place in its log up to which it was read; null if the log was empty, or nothing is known.</param>
    /// <param name="file">The database file, if it had everything; null if not.</param>
    /// <param name="reason">What the stream needs an ordinary backup for if the log does not continue from there.</param>
    /// <exception cref="BackupException">SourceNotFound, ProtectionRefused, SourceLocked, DatabaseOpenInProcess, SourceUnreadable.</exception>
    public void Start(LogPlace? from, FileMark? file, BaseReason reason)
    {
        (place, rest) = (from, file);
        lock (follower.Gate)
        {
            try
            {
                Open(reason);
            }
            catch (DatabaseReplacedException exception)
            {
                throw new BackupException(
                    BackupErrorId.SourceNotFound, path,
                    $"'{path}' was taken away while its protection was starting: {exception.Message}. Start it again when the database is in its place.",
                    exception);
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_NOTADB)
            {
                throw new BackupException(
                    BackupErrorId.SourceNotSqlite, path, $"'{path}' is not an SQLite database, or an encrypted one, which cannot be protected. Check the path.",
                    exception);
            }
            catch (SqliteException exception) when (SqliteResult.IsBusy(exception.SqliteErrorCode))
            {
                throw LogHolder.Busy(path, exception.SqliteErrorCode, exception);
            }
            catch (SqliteException exception)
            {
                throw new BackupException(
                    BackupErrorId.SourceUnreadable, path,
                    $"'{path}' cannot be opened: {exception.Message} Check that this account may read and write the file and its folder.", exception);
            }
        }

        pulse.Beat();
        isStarted = true;
        Work();
    }

    /// <summary>Looks on a thread of its own, until nothing happens any more.</summary>
    public void Work()
    {
        workBegan = context.Clock.GetTimestamp();
        thread = new Thread(Run, maxStackSize: 256 << 10) { IsBackground = true, Name = "Looking at " + Path.GetFileName(path) };
        thread.Start();
    }

    /// <summary>Looks whether there is something for a thread of its own to do.</summary>
    public bool HasNews()
    {
        if (!follower.Gate.TryEnter())
        {
            // A backup pins its snapshot; the next round sees what has come of it.
            return false;
        }

        try
        {
            pulse.Beat();
            var now = context.Clock.GetUtcNow();
            if (follower.Holder is not { HasNews: false })
            {
                return true;
            }

            follower.Looked = now;
            return false;
        }
        finally
        {
            follower.Gate.Exit();
        }
    }

    /// <summary>Looks once more, so that everything that is committed is read.</summary>
    public void LookNow()
    {
        lock (follower.Gate)
        {
            _ = Attend();
        }
    }

    /// <summary>The place up to which everything is read, if nothing waits; for the next process.</summary>
    public (LogPlace? Place, FileMark? File) Where()
    {
        lock (follower.Gate)
        {
            Note();
            return (place, rest);
        }
    }

    /// <summary>Stops looking and leaves the database as an application does, at rest if its other users allow that within a second.</summary>
    public void Stop()
    {
        ended.Set();
        rounds.Remove(this);
        thread?.Join();
        (thread, isStarted) = (null, false);
        lock (follower.Gate)
        {
            if (follower.Holder is { } holder)
            {
                follower.Holder = null;
                Leave(holder);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        ended.Dispose();
    }

    private void Leave(LogHolder holder)
    {
        try
        {
            // At rest the next start needs only the file.
            var began = context.Clock.GetTimestamp();
            while (context.Clock.GetElapsedTime(began) < LongestLeave && holder.RestMark is null)
            {
                _ = holder.Look();

                // The pace of looks; the thread that keeps it otherwise has ended.
                Thread.Sleep(AtWork);
            }

            (place, rest) = (LogPlace.Of(holder.Position), holder.RestMark);
            holder.Close();
        }
        catch (DatabaseReplacedException)
        {
            (place, rest) = (null, null);
            LeaveReplaced(holder);
        }
        catch (Exception exception) when (exception is SqliteException or IOException)
        {
            context.Warn($"'{path}' was left without a last checkpoint: {exception.Message}");
            holder.Dispose();
        }
    }

    private void LeaveReplaced(LogHolder holder)
    {
        if (holder.CloseReplaced() is { } left)
        {
            context.Warn(left);
        }
    }

    private void Run()
    {
        var pause = AtWork;
        var isStill = false;
        while (!isStill && !ended.Wait(pause))
        {
            pulse.Beat();
            string? problem;
            var before = Problem;
            lock (follower.Gate)
            {
                problem = Attend();
                isStill = problem is null && follower.Holder is { HasNews: false } && context.Clock.GetElapsedTime(workBegan) >= ShortestWork;
                if (isStill)
                {
                    follower.Holder!.Shrink();
                }

                pause = follower.Holder?.State switch
                {
                    null => Retry,
                    HolderState.Rest => AtRest,
                    _ => AtWork,
                };
            }

            Problem = problem;
            pulse.Beat();
            if (problem is not null && problem != before)
            {
                context.Warn($"'{path}' is not followed at the moment: {problem}. It is tried again each second; nothing is missed unnoticed.");
            }
            else if (problem is null && before is not null)
            {
                context.Verbose($"'{path}' is followed again.");
            }
        }

        if (isStill)
        {
            rounds.Add(this);
        }
    }

    /// <summary>Looks, or tries to take hold again.</summary>
    /// <returns>Why the database is not followed, as a clause; null if it is.</returns>
    private string? Attend()
    {
        try
        {
            if (IsDiskLow())
            {
                if (follower.Holder is not null)
                {
                    Drop();
                }

                return "its disk is nearly full, and while it is followed its log cannot begin anew. Free some space";
            }

            if (follower.Holder is null)
            {
                Open(BaseReason.Gap);
            }

            var now = context.Clock.GetUtcNow();
            if (follower.Holder!.Look())
            {
                follower.Looked = now;
            }

            LogBytes = follower.Holder.LogBytes;
            return null;
        }
        catch (DatabaseReplacedException exception)
        {
            if (follower.Holder is { } holder)
            {
                follower.Holder = null;
                LeaveReplaced(holder);
                (place, rest) = (null, null);
                follower.Need(BaseReason.Replaced, exception.Message, knowsChanges: exception.IsOverwritten);
            }

            return exception.Message;
        }
        catch (Exception exception) when (exception is SqliteException or IOException or BackupException or UnauthorizedAccessException)
        {
            if (follower.Holder is not null)
            {
                Drop();
            }

            return exception.Message.TrimEnd('.');
        }
    }

    /// <summary>Lets go of everything at once; the place is kept.</summary>
    private void Drop()
    {
        Note();
        follower.Holder!.Dispose();
        follower.Holder = null;
    }

    private void Open(BaseReason reason)
    {
        var holder = LogHolder.Open(path, follower, options, context.Clock);
        follower.Holder = holder;
        try
        {
            if (holder.Begin(place, rest) is { } why && follower.Needed is null)
            {
                follower.Need(reason, why);
            }
        }
        catch
        {
            follower.Holder = null;
            holder.Dispose();
            throw;
        }
    }

    private void Note()
    {
        if (follower.Holder is { } holder)
        {
            (place, rest) = (LogPlace.Of(holder.Position), holder.RestMark);
        }
    }

    private bool IsDiskLow()
    {
        if (lastDiskLook != 0 && context.Clock.GetElapsedTime(lastDiskLook) < DiskInterval && follower.Holder is not null)
        {
            return false;
        }

        lastDiskLook = context.Clock.GetTimestamp();
        return disk.IsLow;
    }
}
