using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The parameters of continuous protection, which the cmdlets have that start it and that register it.</summary>
internal interface IStreamParameters
{
    /// <summary>Seconds between two segments; null if not given.</summary>
    double? Interval { get; }

    /// <summary>The time between two ordinary backups; null if not given.</summary>
    BackupAge? BackupInterval { get; }

    /// <summary>The time between two audits; null if not given.</summary>
    BackupAge? AuditInterval { get; }

    /// <summary>How long transactions are kept; null if not given.</summary>
    BackupAge? KeepTransactions { get; }

    /// <summary>Whether old segments are left in the store.</summary>
    SwitchParameter KeepRemote { get; }

    /// <summary>Whether the application's checkpoints are the only ones.</summary>
    SwitchParameter NoCheckpoint { get; }
}
