using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The progress of a check: the pages that its connections have read.</summary>
internal sealed class CheckProgress
{
    private readonly Action<IntegrityProgress> report;
    private readonly int pageSize;
    private long totalBytes;
    private long pages;
    private string part = string.Empty;
    private ExceptionDispatchInfo? fault;

    /// <summary>Starts to show the progress.</summary>
    /// <param name="report">Receives the progress.</param>
    /// <param name="pageCount">The pages of the database.</param>
    /// <param name="pageSize">The size of a page, in bytes.</param>
    public CheckProgress(Action<IntegrityProgress> report, long pageCount, int pageSize)
    {
        this.report = report;
        this.pageSize = pageSize;

        // quick_check reads all pages for their structure, then those of tables for their rows; indexes and their tables are read once more.
        totalBytes = 3 * pageCount * pageSize;
    }

    /// <summary>Counts the pages that a connection reads from now on. This replaces the connection's own cancellation.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="isOwn">Whether the thread that shows the progress uses it.</param>
    /// <param name="cancellation">Stops every statement of the connection.</param>
    public void Watch(SqliteConnection connection, bool isOwn, CancellationToken cancellation)
    {
        var handle = connection.Handle!;
        var before = Misses();
        raw.sqlite3_progress_handler(
            handle,
            SqliteConnections.InstructionsALook,
            _ =>
            {
                var now = Misses();
                _ = Interlocked.Add(ref pages, now - before);
                before = now;
                return cancellation.IsCancellationRequested || (isOwn && !TryShow()) ? 1 : 0;
            },
            null);

        int Misses()
        {
            _ = raw.sqlite3_db_status(handle, raw.SQLITE_DBSTATUS_CACHE_MISS, out var misses, out _, 0);
            return misses;
        }
    }

    /// <summary>Names the part that begins.</summary>
    public void Begin(string name)
    {
        part = name;
        Show();
    }

    /// <summary>Begins a part whose end cannot be predicted.</summary>
    public void BeginEndless(string name)
    {
        totalBytes = 0;
        Begin(name);
    }

    /// <summary>Shows how many pages were read.</summary>
    public void Show() => report(new IntegrityProgress(part, Interlocked.Read(ref pages) * pageSize, totalBytes));

    /// <summary>Throws the exception that the receiver of the progress threw while SQLite was running, and for which SQLite was interrupted.</summary>
    public void ThrowIfFailed() => fault?.Throw();

    private bool TryShow()
    {
        try
        {
            Show();
            return true;
        }
        catch (Exception exception)
        {
            // No exception may pass through SQLite.
            fault = ExceptionDispatchInfo.Capture(exception);
            return false;
        }
    }
}
