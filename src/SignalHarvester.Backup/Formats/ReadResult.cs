namespace SignalHarvester.Backup.Formats;

/// <summary>What a stored file held when it was read.</summary>
/// <param name="PlainLength">Bytes of the content.</param>
/// <param name="StoredLength">Bytes of the file.</param>
/// <param name="StoredChecksum">SHA-256 of the file, lower-case hex.</param>
internal sealed record ReadResult(long PlainLength, long StoredLength, string StoredChecksum);
