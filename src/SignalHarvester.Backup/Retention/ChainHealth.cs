using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.Retention;

/// <summary>What the sidecars say about a backup together with all backups that it builds on.</summary>
/// <param name="byId">All backups of the directory, with their depths.</param>
/// <param name="now">The time.</param>
internal sealed class ChainHealth(IReadOnlyDictionary<string, BackupMetadata> byId, DateTimeOffset now)
{
    private readonly Dictionary<string, BackupMetadata?> lastFailures = new(StringComparer.Ordinal);
    private readonly Stack<BackupMetadata> path = new();

    /// <summary>Whether the backup cannot be restored: its chain is broken, or it is one of the predecessor's bare logs.</summary>
    public static bool IsIncomplete(BackupMetadata backup) => backup is { Depth: null } or { IsPredecessor: true, Type: BackupType.Wal };

    /// <summary>Whether the backup was verified, its database is sound, and no link of its chain has failed a verification since.</summary>
    public bool IsProven(BackupMetadata backup) =>
        backup is { Verified: true, IsSourceCorrupt: false }
        && !IsIncomplete(backup)
        && !HasFailed(backup);

    /// <summary>Whether a link of a complete chain failed its last verification, and the backup has passed none since.</summary>
    public bool HasFailed(BackupMetadata backup) =>
        LastFailure(backup)?.VerificationOrder is { } failure && !(backup is { Verified: true, VerificationOrder: { } passed } && IsSince(passed, failure));

    /// <summary>Whether the backup can take over the pages of those that it builds on: no link is missing, and none failed its last verification.</summary>
    public bool CanBeFolded(BackupMetadata backup) => !IsIncomplete(backup) && LastFailure(backup) is null;

    /// <summary>Returns a backup's parent; null if it has none, or the parent is missing.</summary>
    public BackupMetadata? Parent(BackupMetadata backup) =>
        backup.ParentId is { } id && BackupChain.IsIncrement(backup) ? byId.GetValueOrDefault(id) : null;

    /// <summary>Returns the link of a chain whose last verification failed, of several the one that failed last; null if none has.</summary>
    /// <remarks>Not recursive, because a chain may be as long as the directory. Only called for complete chains, which have an end.</remarks>
    private BackupMetadata? LastFailure(BackupMetadata backup)
    {
        BackupMetadata? last = null;
        for (var link = backup; link is not null && !lastFailures.TryGetValue(link.Id, out last); link = Parent(link))
        {
            path.Push(link);
        }

        while (path.TryPop(out var link))
        {
            last = HasFailedItself(link) && (last is null || link.VerificationOrder > last.VerificationOrder) ? link : last;
            lastFailures[link.Id] = last;
        }

        return last;
    }

    // A damaged source fails its integrity check at every verification, but the backup holds it exactly as it was.
    private static bool HasFailedItself(BackupMetadata backup) =>
        backup is { Verified: false, IsSourceCorrupt: false, VerificationOrder: not null };

    // A pass with a future date may have been before a failure of today.
    private bool IsSince(DateTimeOffset passed, DateTimeOffset failure) =>
        failure <= passed && (!BackupOrder.IsAhead(passed, now) || BackupOrder.IsAhead(failure, now));
}
