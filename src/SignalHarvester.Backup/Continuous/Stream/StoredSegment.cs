using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>A segment in a store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Info">The object.</param>
internal sealed record StoredSegment(SegmentName Name, ObjectInfo Info);
