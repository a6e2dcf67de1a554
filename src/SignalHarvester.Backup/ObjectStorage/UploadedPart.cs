namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>A part that has arrived.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Tag">The service's name for it: an ETag, a block id; empty if it has none.</param>
/// <param name="Checksum">The service's own checksum of it, as <c>algorithm:value</c>; null if it reports none.</param>
internal sealed record UploadedPart(int Number, long Length, string Tag, string? Checksum = null);
