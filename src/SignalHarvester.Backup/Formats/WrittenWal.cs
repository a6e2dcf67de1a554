namespace SignalHarvester.Backup.Formats;

/// <summary>A stored write-ahead log.</summary>
/// <param name="WalChecksum">SHA-256 of the uncompressed log, lower-case hex.</param>
/// <param name="StoredLength">Bytes of the file as stored.</param>
/// <param name="StoredChecksum">SHA-256 of the file as stored, lower-case hex.</param>
internal sealed record WrittenWal(string WalChecksum, long StoredLength, string StoredChecksum);
