namespace SignalHarvester.Backup.Storage;

/// <summary>What happens to missing folders on the way to a place.</summary>
internal enum MissingFolders
{
    /// <summary>They are an error.</summary>
    Refuse,

    /// <summary>They are made, with the usual mode.</summary>
    Make,

    /// <summary>They are made so that only their owner may use them.</summary>
    MakePrivate,
}
