namespace SignalHarvester.Backup.Formats;

/// <summary>The content that was read from a stored file.</summary>
/// <param name="PlainLength">Bytes of the content.</param>
/// <param name="StoredLength">Bytes of the file.</param>
/// <param name="StoredChecksum">SHA-256 of the file, lower-case hex.</param>
internal sealed record ReadResult(long PlainLength, long StoredLength, string StoredChecksum);
