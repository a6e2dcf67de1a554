namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>Fills a buffer from a place in a log.</summary>
/// <param name="offset">The place, in bytes.</param>
/// <param name="buffer">The buffer.</param>
/// <returns>False if the log ends before the buffer is full.</returns>
internal delegate bool ReadLog(long offset, Span<byte> buffer);
