namespace SignalHarvester.Backup.Configuration;

/// <summary>What must exist at a configured path.</summary>
internal enum PathNeed
{
    /// <summary>A file.</summary>
    File,

    /// <summary>A folder, which the first backup makes.</summary>
    MadeFolder,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>The folder into which a file will be written.</summary>
    ParentFolder,
}
