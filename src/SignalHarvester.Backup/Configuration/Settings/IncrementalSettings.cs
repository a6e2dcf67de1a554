namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>The kind of backup (<c>app.backup.incremental</c>).</summary>
public sealed record IncrementalSettings
{
    /// <summary>The kind of backup, unless a command gives another.</summary>
    public BackupStrategy Type { get; init; } = BackupStrategy.Full;

    /// <summary>With <see cref="BackupStrategy.Auto"/>, the number of increments before the next full backup, 1 to 1000.</summary>
    public int MaxIncrements { get; init; } = 30;

    /// <summary>
    /// With <see cref="BackupStrategy.Auto"/>, the largest total size of a chain's increments, in percent of the full backup,
    /// before the next full one, 1 to 1000.
    /// </summary>
    public int MaxIncrementShare { get; init; } = 50;
}
