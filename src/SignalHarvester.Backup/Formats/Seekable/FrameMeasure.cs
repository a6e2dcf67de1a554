namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>The size of a frame.</summary>
/// <param name="Stored">Bytes in the file.</param>
/// <param name="Content">Bytes of its content; 0 for a frame that readers skip.</param>
/// <param name="HasChecksum">Whether it carries a checksum of its content.</param>
internal readonly record struct FrameMeasure(int Stored, int Content, bool HasChecksum);
