using System.Globalization;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>How far a log was read. It reads on, gives the commits to their sink, and tells it where the log does not prove that it has them all.</summary>
/// <param name="pageSize">Bytes in a page.</param>
/// <param name="sink">Takes the commits.</param>
internal sealed class LogCursor(int pageSize, ICommitSink sink)
{
    private readonly LogReader reader = new(pageSize);

    /// <summary>The place up to which the log was read.</summary>
    public WalIndexHeader Position { get; private set; } = new(0, 0, default, 0, 0);

    /// <summary>Goes to a place without reading.</summary>
    public void GoTo(WalIndexHeader end) => Position = end;

    /// <summary>Goes to the beginning of a log.</summary>
    public void GoToBeginning(WalIndexHeader log) => Position = new WalIndexHeader(0, 0, default, log.Salts, 0);

    /// <summary>Goes to where an earlier reader has ended, if the log has there what it had then.</summary>
    /// <param name="log">The log.</param>
    /// <param name="place">Where the earlier one has ended.</param>
    /// <param name="end">The end of the log.</param>
    /// <returns>False if it has something else; then nothing has happened.</returns>
    public bool TryContinue(ReadLog log, LogPlace place, WalIndexHeader end)
    {
        if (end.Salts != place.Salts || end.MaxFrame < place.Frame || !reader.Continues(log, place))
        {
            return false;
        }

        Position = end with { MaxFrame = place.Frame, FrameChecksum = place.Checksum };
        return true;
    }

    /// <summary>Reads on to an end.</summary>
    /// <param name="log">The log.</param>
    /// <param name="end">The end, which a lock of ours keeps.</param>
    /// <param name="isProved">Whether it is known that the log is the one that follows the position.</param>
    public void ReadTo(ReadLog log, WalIndexHeader end, bool isProved)
    {
        var isAnew = end.Salts != Position.Salts;
        var commits = sink.Begin();
        try
        {
            if (!isAnew && end.MaxFrame < Position.MaxFrame)
            {
                throw new LogBrokenException("the log became shorter");
            }

            var repeats = reader.Read(log, isAnew || Position.MaxFrame == 0 ? null : Position, end, commits);
            if (isAnew && !isProved)
            {
                RequireAll(end, commits.Commits.Count, repeats);
            }
        }
        catch (LogBrokenException exception)
        {
            Position = end;
            sink.Lost(exception.Message);
            return;
        }

        Position = end;
        if (commits.Commits.Count > 0)
        {
            sink.Accept(commits);
        }
    }

    /// <summary>
    /// Checks that a log that was begun anew has every commit since the position: the index counts them. A commit frame that repeats the
    /// one before is padding or a commit that changes nothing; something was held all the time, so either is right.
    /// </summary>
    private void RequireAll(WalIndexHeader end, int commits, int repeats)
    {
        var counted = (long)end.Changes - Position.Changes;
        if (counted < commits || counted > commits + repeats)
        {
            throw new LogBrokenException(string.Create(
                CultureInfo.InvariantCulture, $"the log was begun anew and has {commits} commits, but its index counts {counted}"));
        }
    }
}
