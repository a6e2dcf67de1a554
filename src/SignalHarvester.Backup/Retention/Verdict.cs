namespace SignalHarvester.Backup.Retention;

/// <summary>
/// A decision in the making: a backup stays as soon as one rule keeps it, and goes if none does. Each rule can give one reason
/// for either side; its first one counts.
/// </summary>
internal sealed class Verdict(BackupMetadata backup)
{
    // A class, because a list of tuples would be compiled anew by each process.
    private readonly List<Said> keeping = [];
    private readonly List<Said> refusing = [];

    public BackupMetadata Backup { get; } = backup;

    public bool IsKept => keeping.Count > 0;

    /// <summary>Whether a backup that builds on it, and stays, has decided its fate.</summary>
    public bool IsChainSettled { get; private set; }

    public RetentionDecision Decision => new()
    {
        Backup = Backup,
        Action = IsKept ? RetentionAction.Keep : RetentionAction.Remove,
        Reasons = [.. (IsKept ? keeping : refusing).Select(said => said.Reason)],
    };

    public void Keep(string rule, string reason) => AddReason(keeping, rule, reason);

    /// <summary>Notes why it goes if nothing keeps it.</summary>
    public void Refuse(string rule, string reason) => AddReason(refusing, rule, reason);

    public void NeedFor(BackupMetadata dependant, string whyWhole)
    {
        IsChainSettled = true;
        Keep("chain", $"needed by {dependant.Id}: {whyWhole}");
    }

    public void FoldInto(BackupMetadata dependant)
    {
        IsChainSettled = true;
        Refuse("chain", $"folded into {dependant.Id} first");
    }

    private static void AddReason(List<Said> side, string rule, string reason)
    {
        foreach (var said in side)
        {
            if (said.Rule == rule)
            {
                return;
            }
        }

        side.Add(new Said(rule, reason));
    }

    private sealed record Said(string Rule, string Reason);
}
