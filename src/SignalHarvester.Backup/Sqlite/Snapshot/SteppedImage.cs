namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// An image that SQLite's backup API copied, step by step, into a temporary database. It is the fallback if a snapshot cannot
/// be pinned: it needs room for a second copy, and page 1's counters differ from the source's.
/// </summary>
internal static class SteppedImage
{
    /// <summary>The method that such an image states.</summary>
    public const string Method = "stepped";

    private const int PagesAStep = 1024;

    /// <summary>Copies the database of a connection that holds a read transaction, so that no writer restarts the copy.</summary>
    /// <param name="database">The connection.</param>
    /// <param name="temporaryPath">Where to put the copy. Disposing the image deletes it.</param>
    /// <param name="afterStep">Called after each step with the number of copied pages.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <exception cref="BackupException">SourceCorrupt, SourceLocked, WriteFailed.</exception>
    public static FileImage Copy(LiveDatabase database, string temporaryPath, Action<long> afterStep, CancellationToken cancellation)
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
                (done, _) => afterStep(done),
                code => throw database.Fault(code),
                cancellation);
        }

        var handle = File.OpenHandle(
            temporaryPath, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.DeleteOnClose | FileOptions.SequentialScan);
        return new FileImage(handle, database.PageSize, Method);
    }
}
