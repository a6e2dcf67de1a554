using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>How far a standby has come in the stream, and where that is in its own files.</summary>
internal sealed record StandbyPlace
{
    /// <summary>The timeline.</summary>
    public required int Timeline { get; init; }

    /// <summary>The last segment that is in the standby; 0 if the timeline has just begun.</summary>
    public required long Number { get; init; }

    /// <summary>The last transaction.</summary>
    public required long Transaction { get; init; }

    /// <summary>Its time.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What the digest of the stream there is recognised by (<see cref="StreamDigest.Mark"/>).</summary>
    public required string Mark { get; init; }

    /// <summary>Where the standby's own log ends there; null if it is empty.</summary>
    public WalPosition? Log { get; init; }

    /// <summary>The standby's file, if it has everything; null if its log has a part of it.</summary>
    public FileMark? Rest { get; init; }
}
