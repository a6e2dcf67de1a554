using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>Which rows are to be brought back, and how.</summary>
public sealed record RestoreRowsOptions
{
    /// <summary>The database that they go into, as a full path.</summary>
    public required string Into { get; init; }

    /// <summary>The tables.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>A condition in SQL that the rows of the backup fulfil; null for all rows.</summary>
    public string? Where { get; init; }

    /// <summary>What is done where a row is there.</summary>
    public RowAction Action { get; init; }

    /// <summary>Whether the rows may go into a database that another one than the backup is of has its place at.</summary>
    public bool AllowOtherDatabase { get; init; }

    /// <summary>Where the safety backup of the database goes; null for none.</summary>
    public BackupDirectory? SafetyDirectory { get; init; }

    /// <summary>To whom the safety backup is encrypted; null to keep it as the backup is.</summary>
    public BackupEncryption? Encryption { get; init; }

    /// <summary>Whether nobody writes to the database under a name (hard link) that is not found, as in a tree of snapshots.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>How long to wait for other processes' locks on the database.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
