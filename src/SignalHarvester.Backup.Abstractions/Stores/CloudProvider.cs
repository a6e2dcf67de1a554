namespace SignalHarvester.Backup;

/// <summary>The kind of object store that holds a copy of a backup.</summary>
public enum CloudProvider : long
{
    /// <summary>Amazon S3 or a store that speaks its protocol.</summary>
    S3,

    /// <summary>Google Cloud Storage.</summary>
    Gcs,

    /// <summary>Azure Blob Storage.</summary>
    Azure,

    /// <summary>A folder, for example on a mounted share or a second disk.</summary>
    Directory,
}
