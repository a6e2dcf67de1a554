namespace SignalHarvester.Backup.Storage;

/// <summary>What becomes of folders that are missing on the way to a place.</summary>
internal enum MissingFolders
{
    /// <summary>They are an error.</summary>
    Refuse,

    /// <summary>They are made, with the usual mode.</summary>
    Make,

    /// <summary>They are made, for their owner alone.</summary>
    MakePrivate,
}
