using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>
/// An object store: one of <c>app.backup.stores</c>, or <c>app.backup.s3</c>, <c>gcs</c>, <c>azure</c> or <c>directory</c>, which are
/// stores of these names.
/// </summary>
/// <param name="Location">The place.</param>
/// <param name="Options">Its options.</param>
public sealed record ObjectStoreSettings(StoreLocation Location, StoreOptions Options)
{
    /// <summary>Its name in the configuration; empty for a place that a command gave.</summary>
    public string Name { get; init; } = string.Empty;

    /// <summary>Whether the store is enabled. A disabled one is used only if a command names it or its provider.</summary>
    public bool Enabled { get; init; }

    /// <summary>Whether each new backup is sent there, if the store is enabled.</summary>
    public bool UploadAfterBackup { get; init; } = true;

    /// <summary>Whether a missing bucket, container or folder is created.</summary>
    public bool CreateContainer { get; init; }
}
