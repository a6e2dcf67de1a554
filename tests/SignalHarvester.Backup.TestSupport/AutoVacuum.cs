namespace SignalHarvester.Backup.TestSupport;

/// <summary>What SQLite does with free pages; the numbers are those of PRAGMA auto_vacuum.</summary>
public enum AutoVacuum
{
    None = 0,
    Full = 1,
    Incremental = 2,
}
