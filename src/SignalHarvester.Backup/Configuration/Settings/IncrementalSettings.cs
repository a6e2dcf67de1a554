namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>Which kind of backup is made (<c>app.backup.incremental</c>).</summary>
public sealed record IncrementalSettings
{
    /// <summary>The kind of backup, unless a command says another.</summary>
    public BackupStrategy Type { get; init; } = BackupStrategy.Full;

    /// <summary>With <see cref="BackupStrategy.Auto"/>, the increments after which a full backup is made, 1 to 1000.</summary>
    public int MaxIncrements { get; init; } = 30;

    /// <summary>With <see cref="BackupStrategy.Auto"/>, the size of all increments of a chain together, in percent of their full backup's, beyond which a full one is made, 1 to 1000.</summary>
    public int MaxIncrementShare { get; init; } = 50;
}
