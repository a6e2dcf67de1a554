namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// A WAL database on read-only media, cleanly closed: SQLite can only open it as immutable, without locks. Another
/// machine may still write to what is read-only here, and would leave a log or a new time stamp: that is looked for.
/// </summary>
internal sealed class ReadOnlyMediaGuard
{
    private readonly string path;
    private readonly (long Length, DateTime Written) before;

    /// <summary>Notes the file's state before it is read.</summary>
    public ReadOnlyMediaGuard(string path)
    {
        this.path = path;
        before = State();
    }

    /// <summary>Whether a database can be read as immutable: nothing waits in a log or journal.</summary>
    public static bool Applies(string path) => !HasContent(path + "-wal") && !HasContent(path + "-journal");

    /// <summary>Confirms that the file is as it was.</summary>
    /// <exception cref="SnapshotLostException">It was written to.</exception>
    public void Confirm()
    {
        if (State() != before || !Applies(path))
        {
            throw new SnapshotLostException("the database on read-only media was changed by another machine");
        }
    }

    private static bool HasContent(string file)
    {
        var info = new FileInfo(file);
        return info.Exists && info.Length > 0;
    }

    private (long Length, DateTime Written) State()
    {
        var info = new FileInfo(path);
        return (info.Length, info.LastWriteTimeUtc);
    }
}
