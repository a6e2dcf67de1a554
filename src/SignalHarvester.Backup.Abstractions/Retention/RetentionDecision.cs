namespace SignalHarvester.Backup;

/// <summary>The decision of retention on one backup, with its reasons, as Invoke-SHBackupRetention emits it.</summary>
public sealed record RetentionDecision
{
    /// <summary>The backup at the time of the decision.</summary>
    public required BackupMetadata Backup { get; init; }

    /// <summary>Whether the backup stays or goes.</summary>
    public RetentionAction Action { get; init; }

    /// <summary>Every reason for the action, at least one, each a short phrase for people such as <c>daily 2026-11-20, 3 of 7</c>.</summary>
    public IReadOnlyList<string> Reasons
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>The decision on one line.</summary>
    public override string ToString() => $"{Action} {Backup.Id}: {string.Join("; ", Reasons)}";
}
