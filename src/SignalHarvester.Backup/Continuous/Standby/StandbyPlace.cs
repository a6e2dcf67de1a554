using System.Text.Json.Serialization;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>How far a standby has come in the stream, and where that is in its own files.</summary>
internal sealed record StandbyPlace
{
    /// <summary>The timeline.</summary>
    public required int Timeline { get; init; }

    /// <summary>The last segment that is in the standby.</summary>
    public required long Number { get; init; }

    /// <summary>The timeline with which the stream continues, if that segment is a seal.</summary>
    public int? NextTimeline { get; init; }

    /// <summary>The last transaction.</summary>
    public required long Transaction { get; init; }

    /// <summary>Its time.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What the digest of the stream there is recognised by (<see cref="StreamDigest.Mark"/>).</summary>
    public required string Mark { get; init; }

    /// <summary>The segment that continues the stream from there.</summary>
    [JsonIgnore]
    public SegmentName Next => NextTimeline is { } timeline ? new SegmentName(timeline, 1) : new SegmentName(Timeline, Number + 1);

    /// <summary>Where the standby's own log ends there; null if it is empty.</summary>
    public WalPosition? Log { get; init; }

    /// <summary>The standby's file, if it has everything; null if its log has a part of it.</summary>
    public FileMark? Rest { get; init; }
}
