namespace SignalHarvester.Backup;

/// <summary>The compression of a backup file.</summary>
public enum CompressionType : long
{
    /// <summary>Not compressed: the file is the database image itself.</summary>
    None,

    /// <summary>A series of gzip members (RFC 1952), readable by <c>gunzip</c>.</summary>
    Gzip,

    /// <summary>A series of Zstandard frames (RFC 8878), readable by <c>zstd -d</c>.</summary>
    Zstd,
}
