namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>When a holder checkpoints.</summary>
internal sealed record HolderOptions
{
    /// <summary>Whether it checkpoints at all. If not, the application must: its checkpoints complete at our mark.</summary>
    public bool Checkpoints { get; init; } = true;

    /// <summary>
    /// Bytes of the log above which a checkpoint does not wait for rest: somewhat less than 4 MiB, as it comes some commits later, and the application's own
    /// falls due there by default.
    /// </summary>
    public long LogTarget { get; init; } = 15 << 18;

    /// <summary>Without commits for so long, everything is copied to the database file.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>After so long at rest the log is emptied, so that a copy of the database file alone is whole.</summary>
    public TimeSpan TruncateAfter { get; init; } = TimeSpan.FromSeconds(5);
}
