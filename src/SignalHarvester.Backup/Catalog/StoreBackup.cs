using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>A backup in an object store.</summary>
/// <param name="Backup">Its description in the sidecar.</param>
/// <param name="Sidecar">The sidecar's bytes.</param>
/// <param name="SidecarObject">The sidecar as an object.</param>
/// <param name="FileName">The name of its file, the same in a store and in a directory.</param>
internal sealed record StoreBackup(BackupMetadata Backup, byte[] Sidecar, ObjectInfo SidecarObject, string FileName);
