namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>What has become of transactions that were to be appended to a log.</summary>
internal enum AppendOutcome
{
    /// <summary>They are committed.</summary>
    Appended,

    /// <summary>Somebody writes, mends the index, or has begun the log anew after a checkpoint: to be planned and tried again.</summary>
    Busy,

    /// <summary>The log does not end where it should: somebody else has written to the database.</summary>
    Changed,
}
