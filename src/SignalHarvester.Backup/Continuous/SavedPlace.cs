using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Continuous;

/// <summary>How far a stream has come, as this machine keeps it.</summary>
internal sealed record SavedPlace
{
    /// <summary>The database's path.</summary>
    public required string Database { get; init; }

    /// <summary>The place of the stream, as a text: a stream in another store is another stream.</summary>
    public required string Store { get; init; }

    /// <summary>The stream, by a random name: one that begins anew in the same store is another one, too.</summary>
    public required string Stream { get; init; }

    /// <summary>The timeline.</summary>
    public required int Timeline { get; init; }

    /// <summary>The last segment.</summary>
    public required long Number { get; init; }

    /// <summary>The last transaction in it.</summary>
    public required long Transaction { get; init; }

    /// <summary>Its time.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What is not in the last segment was committed after this moment; null if nothing is known.</summary>
    public DateTimeOffset? Earliest { get; init; }

    /// <summary>The digest of the stream there.</summary>
    public required ulong Digest { get; init; }

    /// <summary>The place in the log after that transaction; null if the log was empty.</summary>
    public WalPosition? Log { get; init; }

    /// <summary>The database file, if it had everything; null if not.</summary>
    public FileMark? Rest { get; init; }

    /// <summary>The name of the segment whose bytes follow, which may not have arrived yet; null if all have.</summary>
    public string? Pending { get; init; }

    /// <summary>The SHA-256 of those bytes.</summary>
    public string? PendingSha256 { get; init; }

    /// <summary>The backup from which the stream continues, as long as it is not known to be in the store.</summary>
    public string? Backup { get; init; }

    /// <summary>The last transaction that can be restored without that backup; null if there is no such backup.</summary>
    public long? Restorable { get; init; }
}
