namespace SignalHarvester.Backup.TestSupport;

/// <summary>The two ways of SQLite to make a commit atomic.</summary>
public enum JournalMode
{
    Delete,
    Wal,
}
