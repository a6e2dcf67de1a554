using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>An object store (<c>app.backup.s3</c>, <c>gcs</c>, <c>azure</c> or <c>directory</c>).</summary>
/// <param name="Location">The place.</param>
/// <param name="Options">How it is used.</param>
public sealed record ObjectStoreSettings(StoreLocation Location, StoreOptions Options)
{
    /// <summary>Whether the store is switched on. One that is not is used only where a command names its provider.</summary>
    public bool Enabled { get; init; }

    /// <summary>Whether each backup is sent there once it was made, if the store is switched on.</summary>
    public bool UploadAfterBackup { get; init; } = true;

    /// <summary>Whether a bucket, container or folder that is missing is made.</summary>
    public bool CreateContainer { get; init; }
}
