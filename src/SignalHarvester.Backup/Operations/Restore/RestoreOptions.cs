using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>How a backup is to be restored.</summary>
public sealed record RestoreOptions
{
    /// <summary>The database file to write, as a full path.</summary>
    public required string Destination { get; init; }

    /// <summary>Where the safety backup of what is overwritten goes; null for none.</summary>
    public BackupDirectory? SafetyDirectory { get; init; }

    /// <summary>
    /// To whom the safety backup is encrypted; null to keep it as what is restored is: encrypted to the keys that open that,
    /// or plain.
    /// </summary>
    public BackupEncryption? Encryption { get; init; }

    /// <summary>Whether integrity, schema and rows are checked before and after. Checksums always are.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Whether only the pages that differ are written, where that can be done.</summary>
    public bool Delta { get; init; }

    /// <summary>Whether the backup may go over another database than the one that it is of.</summary>
    public bool AllowOtherDatabase { get; init; }

    /// <summary>Whether what is restored stays this account's alone, whoever the database was for: it is only looked at.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Whether nobody writes to the database under a name (hard link) that is not found, as in a tree of snapshots.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>How long to wait for other processes' locks on the destination.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
