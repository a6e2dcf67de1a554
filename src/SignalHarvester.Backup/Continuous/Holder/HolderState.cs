namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>How a holder keeps the log.</summary>
internal enum HolderState
{
    /// <summary>Everything is in the database file, and read lock 0 keeps it so.</summary>
    Rest,

    /// <summary>A read mark keeps the frames while they are read.</summary>
    Follow,

    /// <summary>Nothing is held.</summary>
    Open,
}
