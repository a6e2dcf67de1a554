namespace SignalHarvester.Backup;

/// <summary>What the continuous protection of a database is doing.</summary>
public enum ProtectionState
{
    /// <summary>It was never started with this backup directory.</summary>
    None,

    /// <summary>It is starting: the store, the stream's end and the first backup.</summary>
    Starting,

    /// <summary>It follows the database, and what was committed is stored or on its way.</summary>
    Following,

    /// <summary>
    /// The database is not followed at the moment: it is missing, locked, or not in WAL mode; or nothing has been heard from the process for 30 seconds.
    /// </summary>
    Waiting,

    /// <summary>The store takes nothing at the moment. Commits wait, and are not lost.</summary>
    StoreUnavailable,

    /// <summary>Another writer has continued the stream, so it stopped.</summary>
    Fenced,

    /// <summary>It was stopped.</summary>
    Stopped,

    /// <summary>It has ended with an error, or was killed.</summary>
    Ended,
}
