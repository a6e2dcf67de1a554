namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>What became of a segment that was put into a store.</summary>
internal enum PutOutcome
{
    /// <summary>It is in the store, by this request or by an earlier one whose answer was lost.</summary>
    Stored,

    /// <summary>Another writer's segment has its number.</summary>
    Taken,
}
