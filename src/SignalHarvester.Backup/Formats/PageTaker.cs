namespace SignalHarvester.Backup.Formats;

/// <summary>Takes a page of a log.</summary>
/// <param name="page">Its number; pages count from 1.</param>
/// <param name="content">Its content, valid during the call.</param>
internal delegate void PageTaker(long page, ReadOnlySpan<byte> content);
