using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>
/// Stops a query that takes longer than it may, or whose sorting fills the disk of temporary files: of what is free there at the beginning,
/// a tenth is left, at most 256 MiB.
/// </summary>
internal sealed class QueryLimit : IDisposable
{
    private const long LargestReserve = 256L << 20;
    private const int LooksAtOnce = 64;

    private readonly TimeSpan? timeout;
    private readonly CancellationTokenSource? timer;
    private readonly CancellationTokenSource stopping;
    private readonly long reserve;
    private int looks;
    private bool isFull;

    /// <summary>Begins to count the time.</summary>
    /// <param name="timeout">How long the query may take; null for any time.</param>
    /// <param name="context">Clock and cancellation.</param>
    public QueryLimit(TimeSpan? timeout, OperationContext context)
    {
        this.timeout = timeout;
        timer = timeout is { } time ? new CancellationTokenSource(time, context.Clock) : null;
        stopping = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation, timer?.Token ?? CancellationToken.None);
        reserve = Math.Min(LargestReserve, FreeSpace.Of(TemporaryFiles) / 10);
    }

    /// <summary>Cancelled when the query is to stop, for whatever reason.</summary>
    public CancellationToken Token => stopping.Token;

    // SQLite's own choice: https://sqlite.org/tempfiles.html, 5.
    private static string TemporaryFiles =>
        new[] { Environment.GetEnvironmentVariable("SQLITE_TMPDIR"), Environment.GetEnvironmentVariable("TMPDIR"), "/var/tmp" }
            .FirstOrDefault(folder => !OperatingSystem.IsWindows() && Directory.Exists(folder)) ?? Path.GetTempPath();

    /// <summary>Looks at the limits as a connection works.</summary>
    public void Watch(SqliteConnection connection) =>
        raw.sqlite3_progress_handler(connection.Handle, SqliteConnections.InstructionsALook, _ => Stops() ? 1 : 0, null);

    /// <summary>Returns the error for the limit that was reached; null if none was.</summary>
    public BackupException? Exceeded(BackupMetadata backup, Exception cause) =>
        isFull ? Room(backup, cause)
        : timer is { IsCancellationRequested: true } ? Limit(
            backup, string.Create(CultureInfo.InvariantCulture, $"it took longer than {timeout!.Value.TotalSeconds:0.###} s"),
            "Ask for less, or give a longer -Timeout.", cause)
        : null;

    /// <summary>The error for a query that needs too much temporary room.</summary>
    public static BackupException Room(BackupMetadata backup, Exception cause) => Limit(
        backup, $"it sorts so much that '{TemporaryFiles}' would be full",
        "Free some space, set SQLITE_TMPDIR to a larger folder, or restore the backup and query the restored file.", cause);

    /// <summary>The error for a query that needs too much memory.</summary>
    public static BackupException Memory(BackupMetadata backup, QueryOptions options, Exception cause) => Limit(
        backup,
        string.Create(CultureInfo.InvariantCulture, $"a value is larger than {options.LongestValue >> 20} MiB, a quarter of the memory that it may take"),
        "Give a larger -MemoryLimit.", cause);

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Dispose();
        timer?.Dispose();
    }

    private static BackupException Limit(BackupMetadata backup, string reason, string advice, Exception cause) => new(
        BackupErrorId.QueryLimitExceeded, backup.Id, $"The query of '{backup.Id}' was stopped: {reason}. {advice}", cause);

    private bool Stops()
    {
        if (++looks % LooksAtOnce == 0)
        {
            isFull |= FreeSpace.Of(TemporaryFiles) < reserve;
        }

        return isFull || stopping.IsCancellationRequested;
    }
}
