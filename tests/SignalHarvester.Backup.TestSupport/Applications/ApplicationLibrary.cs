namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>The SQLite library of an application.</summary>
public enum ApplicationLibrary
{
    /// <summary>The one of the system's own Python: 3.40.1 on Debian 12.</summary>
    System,

    /// <summary>3.28.0, which locks all readers' slots to recover a wal-index.</summary>
    Old,

    /// <summary>The one that the module has.</summary>
    Bundled,
}
