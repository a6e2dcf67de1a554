namespace SignalHarvester.Backup;

/// <summary>The health of one database's backups, as Get-SHBackupHealth emits it.</summary>
public sealed record BackupHealth
{
    /// <summary>The database, as a full path on the machine that makes the backups; null if there is neither a backup nor a configured database.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The directory of its backups.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>The time of the checks, in UTC.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>The worst status of all checks.</summary>
    public HealthStatus Status => Checks.Select(check => check.Status).DefaultIfEmpty(HealthStatus.Ok).Max();

    /// <summary>The checks.</summary>
    public IReadOnlyList<HealthCheck> Checks
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<HealthCheck>([]);

    /// <summary>The moment of the newest verified backup, to which a restore would go back; null if there is none.</summary>
    public DateTimeOffset? NewestVerified { get; init; }

    /// <summary>The number of its backups, without safety backups.</summary>
    public int Backups { get; init; }

    /// <summary>Their size on disk, in bytes.</summary>
    public long Size { get; init; }

    /// <summary>The database and its status on one line.</summary>
    public override string ToString() => $"{DatabasePath ?? BackupDirectory}: {Status}";
}
