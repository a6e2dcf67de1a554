namespace SignalHarvester.Backup.TestSupport;

/// <summary>SQLite's two ways to make a commit atomic.</summary>
public enum JournalMode
{
    Delete,
    Wal,
}
