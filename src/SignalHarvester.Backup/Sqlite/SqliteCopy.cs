using System.Diagnostics;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>SQLite's backup API, called step by step so that it shows progress and can be stopped.</summary>
internal static class SqliteCopy
{
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Copies one database over another in a single transaction of the destination. An unfinished copy, even of a killed process,
    /// is rolled back.
    /// </summary>
    /// <param name="source">The connection to read.</param>
    /// <param name="destination">The connection to overwrite.</param>
    /// <param name="pagesAStep">Pages to copy between two checks of the cancellation.</param>
    /// <param name="lockTimeout">How long to wait, in all, for locks of other processes.</param>
    /// <param name="proceed">Asked once the destination is locked, before anything is copied; false cancels the copy.</param>
    /// <param name="progress">Called after each step with pages copied and pages in all.</param>
    /// <param name="fail">Turns a result code into the exception to throw.</param>
    /// <param name="cancellation">Stops between two steps; the destination stays as it was.</param>
    /// <returns>False if <paramref name="proceed"/> cancelled the copy; the destination is as it was.</returns>
    public static bool Run(
        sqlite3 source,
        sqlite3 destination,
        int pagesAStep,
        TimeSpan lockTimeout,
        Func<bool> proceed,
        Action<int, int> progress,
        Action<int> fail,
        CancellationToken cancellation)
    {
        var backup = raw.sqlite3_backup_init(destination, "main", source, "main");
        if (backup is null || backup.IsInvalid)
        {
            fail(raw.sqlite3_extended_errcode(destination));
            return false;
        }

        var waiting = new Stopwatch();
        var code = raw.SQLITE_OK;
        var locked = false;
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                code = raw.sqlite3_backup_step(backup, locked ? pagesAStep : 0);
                if (code is raw.SQLITE_OK or raw.SQLITE_DONE)
                {
                    waiting.Reset();
                    if (!locked)
                    {
                        // A step of no pages only takes the locks.
                        locked = true;
                        if (!proceed())
                        {
                            return false;
                        }
                    }

                    var total = raw.sqlite3_backup_pagecount(backup);
                    progress(total - raw.sqlite3_backup_remaining(backup), total);
                    if (code == raw.SQLITE_DONE)
                    {
                        break;
                    }
                }
                else if (SqliteResult.IsBusy(code) && waiting.Elapsed < lockTimeout)
                {
                    waiting.Start();
                    cancellation.WaitHandle.WaitOne(BusyPause);
                }
                else
                {
                    break;
                }
            }
        }
        finally
        {
            var finish = raw.sqlite3_backup_finish(backup);
            if (code == raw.SQLITE_DONE)
            {
                code = finish == raw.SQLITE_OK ? raw.SQLITE_DONE : finish;
            }
        }

        if (code != raw.SQLITE_DONE)
        {
            fail(code);
        }

        return code == raw.SQLITE_DONE;
    }
}
