namespace SignalHarvester.Backup.Protection;

/// <summary>How a protection stands, beside its numbers: the state that others see, and what is in its way.</summary>
internal sealed class ProtectionStanding
{
    /// <summary>The state.</summary>
    public ProtectionState State { get; set; } = ProtectionState.Starting;

    /// <summary>What is in its way, in a sentence; null if nothing is.</summary>
    public string? Problem { get; set; }

    /// <summary>The error that ended it; null if none has.</summary>
    public BackupException? Failure { get; set; }

    /// <summary>Whether it has ended, in whatever way.</summary>
    public bool HasEnded => State is ProtectionState.Stopped or ProtectionState.Fenced or ProtectionState.Ended;
}
