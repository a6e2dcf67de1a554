namespace SignalHarvester.Backup;

/// <summary>
/// A place in a write-ahead log that identifies the log: commits after it continue a backup made there.
/// </summary>
/// <param name="Salts">The log's two salts, as 16 hex digits.</param>
/// <param name="Frame">The last frame of the snapshot; frames count from 1.</param>
/// <param name="Checksum">The running checksum over all frames up to that one, as 16 hex digits.</param>
internal sealed record WalPosition(string Salts, long Frame, string Checksum);
