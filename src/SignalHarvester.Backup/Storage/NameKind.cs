namespace SignalHarvester.Backup.Storage;

/// <summary>What a folder says about the kind of one of its names, as in dirent.h. Some file systems say nothing.</summary>
internal enum NameKind
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>A folder.</summary>
    Folder = 4,

    /// <summary>A file of bytes.</summary>
    File = 8,

    /// <summary>A link.</summary>
    Link = 10,
}
