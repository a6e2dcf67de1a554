using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The options of a restore.</summary>
public sealed record RestoreOptions
{
    /// <summary>The database file to write, as a full path.</summary>
    public required string Destination { get; init; }

    /// <summary>The directory for the safety backup of the old database; null for none.</summary>
    public BackupDirectory? SafetyDirectory { get; init; }

    /// <summary>
    /// The encryption of the safety backup; null for that of the restored backup: encrypted to the keys that open it, or plain.
    /// </summary>
    public BackupEncryption? Encryption { get; init; }

    /// <summary>The transaction of a stream to restore, beyond the backup from which its plan begins; null for the backup itself.</summary>
    public StreamPlan? Stream { get; init; }

    /// <summary>Whether integrity, schema and rows are checked before and after. Checksums always are.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Whether only the differing pages are written, if possible.</summary>
    public bool Delta { get; init; }

    /// <summary>Whether the backup may overwrite a different database.</summary>
    public bool AllowOtherDatabase { get; init; }

    /// <summary>
    /// Called with the path of the image before a database that SQLite can open is overwritten with it, while no writer can commit; what it throws
    /// ends the restore.
    /// </summary>
    internal Action<string>? BeforeOverwrite { get; init; }

    /// <summary>Whether only this account can read the restored file, whatever the access of the database is: the file is only inspected.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Whether nobody writes to the database under an unknown name (hard link), as in a tree of snapshots.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>How long to wait for other processes' locks on the destination.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
