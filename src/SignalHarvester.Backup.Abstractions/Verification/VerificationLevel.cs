namespace SignalHarvester.Backup;

/// <summary>The level of a verification.</summary>
public enum VerificationLevel : long
{
    /// <summary>Never verified, or the last verification failed.</summary>
    None,

    /// <summary>The stored file exists, with the recorded size and checksum.</summary>
    Quick,

    /// <summary>
    /// Quick, and the file was decompressed, its image hashed, opened in SQLite, checked for
    /// all that <c>PRAGMA integrity_check</c> finds, and its schema and row counts compared with the record.
    /// </summary>
    Full,
}
