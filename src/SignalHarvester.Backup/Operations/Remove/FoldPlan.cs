using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>A planned rewrite of one backup, after which it no longer needs some of those that it builds on.</summary>
/// <param name="Survivor">The backup.</param>
/// <param name="NewParentId">Its parent afterwards; null if it becomes a full backup.</param>
/// <param name="Sources">The increments whose pages it must have then, including its own. Empty if it becomes full.</param>
/// <param name="Freed">The backups that it no longer needs.</param>
internal sealed record Fold(BackupMetadata Survivor, string? NewParentId, IReadOnlyList<BackupMetadata> Sources, IReadOnlyList<BackupMetadata> Freed);

/// <summary>Plans the folds after which backups can be removed and every other one still restores.</summary>
internal static class FoldPlan
{
    /// <summary>Plans a removal.</summary>
    /// <param name="backups">All backups of the directory.</param>
    /// <param name="removed">The ids of the backups to remove.</param>
    /// <returns>The folds, in their necessary order.</returns>
    public static IReadOnlyList<Fold> ForRemoval(IReadOnlyCollection<BackupMetadata> backups, IReadOnlySet<string> removed)
    {
        var byId = backups.ToDictionary(backup => backup.Id, StringComparer.Ordinal);
        var folds = new List<Fold>();

        // The first backup that builds on a removed full one takes its place, and the others then build on that.
        var successors = new Dictionary<string, Fold>(StringComparer.Ordinal);
        foreach (var survivor in backups.Where(IsAffected).NewestFirst().Reverse())
        {
            var freed = FreedAncestors(survivor);
            var root = freed[^1];
            var sources = freed.Where(BackupChain.IsIncrement).Prepend(survivor);
            if (BackupChain.IsIncrement(root))
            {
                folds.Add(new Fold(survivor, root.ParentId, [.. sources], freed));
            }
            else if (successors.TryGetValue(root.Id, out var successor))
            {
                folds.Add(
                    new Fold(survivor, successor.Survivor.Id, [.. sources, .. successor.Freed.Where(BackupChain.IsIncrement), successor.Survivor], freed));
            }
            else
            {
                var fold = new Fold(survivor, null, [], freed);
                successors.Add(root.Id, fold);
                folds.Add(fold);
            }
        }

        return folds;

        bool IsAffected(BackupMetadata backup) =>
            !removed.Contains(backup.Id) && BackupChain.IsIncrement(backup) && backup.ParentId is { } parent && removed.Contains(parent)
                && byId.ContainsKey(parent);

        List<BackupMetadata> FreedAncestors(BackupMetadata survivor)
        {
            var freed = new List<BackupMetadata>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            for (var id = survivor.ParentId; id is not null && removed.Contains(id) && seen.Add(id)
                && byId.TryGetValue(id, out var ancestor); id = ancestor.ParentId)
            {
                freed.Add(ancestor);
                if (!BackupChain.IsIncrement(ancestor))
                {
                    break;
                }
            }

            return freed;
        }
    }
}
