using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Progress;

/// <summary>What the caller gives an operation: a clock, a way to stop it, and a receiver of its messages.</summary>
/// <param name="Clock">The time.</param>
/// <param name="Report">Called from any thread with progress and messages.</param>
/// <param name="Cancellation">Stops the operation; it cleans up before it ends.</param>
public sealed record OperationContext(TimeProvider Clock, Action<OperationEvent> Report, CancellationToken Cancellation)
{
    /// <summary>The schedule of the operation, for the history; null if a person runs it.</summary>
    public string? Schedule { get; init; }

    /// <summary>The secrets for encrypted backups.</summary>
    public IdentityRing Identities { get; init; } = IdentityRing.Empty;

    /// <summary>Whether a database is checked with SQLite's own integrity_check even where a faster check finds nothing wrong.</summary>
    public bool IsThorough { get; init; }

    internal void Verbose(string message) => Report(new OperationMessage(IsWarning: false, message));

    internal void Warn(string message) => Report(new OperationMessage(IsWarning: true, message));

    internal void Log(string line) => Report(new OperationLogLine(line));

    internal ProgressMeter Meter(string activity, long totalBytes) => new(Clock, Report, activity, totalBytes);
}
