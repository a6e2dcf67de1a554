namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// A cleanly closed WAL database on read-only media, which SQLite can only open as immutable, without locks. Another machine
/// may still write to media that are read-only here. It would leave a log or a new time stamp, so the guard looks for those.
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

    /// <summary>Whether a database can be read as immutable: no log or journal has content.</summary>
    public static bool Applies(string path) => !HasContent(path + "-wal") && !HasContent(path + "-journal");

    /// <summary>Confirms that the file has not changed.</summary>
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
