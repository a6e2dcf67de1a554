namespace SignalHarvester.Backup.TestSupport;

/// <summary>What SQLite does with pages that become free; the numbers are those of PRAGMA auto_vacuum.</summary>
public enum AutoVacuum
{
    None = 0,
    Full = 1,
    Incremental = 2,
}
