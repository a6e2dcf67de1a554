namespace SignalHarvester.Backup;

/// <summary>How well the backups of one database stand: what Get-SHBackupHealth emits.</summary>
public sealed record BackupHealth
{
    /// <summary>The database, as a full path on the machine that makes the backups; null where there is neither a backup nor a configured database.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The directory of its backups.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>When it was looked at, in UTC.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>The worst of all checks.</summary>
    public HealthStatus Status => Checks.Select(check => check.Status).DefaultIfEmpty(HealthStatus.Ok).Max();

    /// <summary>The single checks.</summary>
    public IReadOnlyList<HealthCheck> Checks
    {
        get;
        // An array, which PowerShell can index from both ends; the compiler's own read-only list it cannot.
        init => field = value as HealthCheck[] ?? value.ToArray();
    } = [];

    /// <summary>The moment that a restore would go back to: the newest verified backup's; null where there is none.</summary>
    public DateTimeOffset? NewestVerified { get; init; }

    /// <summary>The number of its backups, safety backups not counted.</summary>
    public int Backups { get; init; }

    /// <summary>Bytes that they take on disk.</summary>
    public long Size { get; init; }

    /// <summary>The database and its status on one line.</summary>
    public override string ToString() => $"{DatabasePath ?? BackupDirectory}: {Status}";
}
