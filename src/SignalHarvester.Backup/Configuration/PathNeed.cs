namespace SignalHarvester.Backup.Configuration;

/// <summary>What must be at a configured path for it to be of use.</summary>
internal enum PathNeed
{
    /// <summary>A file.</summary>
    File,

    /// <summary>A folder; the first backup makes it.</summary>
    MadeFolder,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>The folder that a file is to be written into.</summary>
    ParentFolder,
}
