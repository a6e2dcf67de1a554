namespace SignalHarvester.Backup.TestSupport;

/// <summary>A backup that <see cref="PredecessorBackups"/> made.</summary>
/// <param name="Id">Its id, the stem of its sidecar.</param>
/// <param name="Path">Its file.</param>
/// <param name="Form">How it was written.</param>
/// <param name="Checksum">SHA-256, in lower-case hex, of the uncompressed content.</param>
/// <param name="Size">Bytes of the file as stored.</param>
public sealed record PredecessorBackup(string Id, string Path, PredecessorForm Form, string Checksum, long Size);
