using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Restore;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>The rows to restore, and the options.</summary>
public sealed record RestoreRowsOptions
{
    /// <summary>The transaction of a stream from which the rows come, beyond the backup from which its plan begins; null for the backup itself.</summary>
    public StreamPlan? Stream { get; init; }

    /// <summary>The database for the rows, as a full path.</summary>
    public required string Into { get; init; }

    /// <summary>The tables.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>A condition in SQL that the rows of the backup fulfil; null for all rows.</summary>
    public string? Where { get; init; }

    /// <summary>What happens to existing rows.</summary>
    public RowAction Action { get; init; }

    /// <summary>Whether the rows may go into a different database.</summary>
    public bool AllowOtherDatabase { get; init; }

    /// <summary>The directory for the safety backup of the database; null for none.</summary>
    public BackupDirectory? SafetyDirectory { get; init; }

    /// <summary>The encryption of the safety backup; null for that of the backup.</summary>
    public BackupEncryption? Encryption { get; init; }

    /// <summary>Whether nobody writes to the database under an unknown name (hard link), as in a tree of snapshots.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>How long to wait for other processes' locks on the database.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
