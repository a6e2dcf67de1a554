namespace SignalHarvester.Backup.Retention;

/// <summary>What the sidecars tell of the backups that each backup builds on: whether all are there, and none is known to be bad.</summary>
internal sealed class Chains(IReadOnlyDictionary<string, BackupMetadata> byId)
{
    private static readonly Links Broken = new(Incomplete: true, LastFailure: null);

    private readonly Dictionary<string, Links> known = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether the backup cannot be restored because a backup that it builds on is missing, its chain runs in a circle,
    /// or it is a bare log, as the predecessor made them.
    /// </summary>
    public bool IsIncomplete(BackupMetadata backup) => LinksOf(backup).Incomplete;

    /// <summary>Whether the backup was verified, of a sound database, and no part of its chain has failed a verification since.</summary>
    public bool IsProven(BackupMetadata backup) =>
        backup is { Verified: true, IsSourceCorrupt: false }
        && LinksOf(backup) is { Incomplete: false } links
        && (links.LastFailure is not { } failure || failure <= backup.VerificationTimestamp);

    /// <summary>Whether the backup can take up the ones that it builds on, as far as the sidecars tell.</summary>
    public bool CanBeFolded(BackupMetadata backup) => LinksOf(backup) is { Incomplete: false, LastFailure: null };

    // Not recursive: a chain may be as long as the directory.
    private Links LinksOf(BackupMetadata backup)
    {
        var below = new Stack<BackupMetadata>();
        Links links;
        for (var link = backup; !known.TryGetValue(link.Id, out links);)
        {
            known[link.Id] = Broken; // Met again before it is settled, it is its own ancestor.
            below.Push(link);
            if (link.ParentId is null)
            {
                links = new Links(Incomplete: !StandsAlone(link), LastFailure: null);
                break;
            }

            if (!byId.TryGetValue(link.ParentId, out var parent))
            {
                links = Broken;
                break;
            }

            link = parent;
        }

        foreach (var link in below)
        {
            links = links with { LastFailure = Later(links.LastFailure, FailureOf(link)) };
            known[link.Id] = links;
        }

        return links;
    }

    // The predecessor's incremental backups were full copies.
    private static bool StandsAlone(BackupMetadata backup) =>
        backup.Type == BackupType.Full || backup is { IsPredecessor: true, Type: BackupType.Incremental };

    // A damaged source fails its integrity check at every verification, and is stored as it was all the same.
    private static DateTimeOffset? FailureOf(BackupMetadata backup) =>
        backup is { Verified: false, IsSourceCorrupt: false } ? backup.VerificationTimestamp : null;

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null || other > one ? other ?? one : one;

    private readonly record struct Links(bool Incomplete, DateTimeOffset? LastFailure);
}
