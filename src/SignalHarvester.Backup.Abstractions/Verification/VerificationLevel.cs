namespace SignalHarvester.Backup;

/// <summary>How deep a verification went.</summary>
public enum VerificationLevel
{
    /// <summary>Never verified, or the last verification failed.</summary>
    None,

    /// <summary>The stored file is there, has the recorded size and the recorded stored checksum.</summary>
    Quick,

    /// <summary>
    /// Quick, and the file was decompressed, its image hashed, opened in SQLite, checked with
    /// <c>PRAGMA integrity_check</c>, and its schema and row counts compared with the record.
    /// </summary>
    Full,
}
