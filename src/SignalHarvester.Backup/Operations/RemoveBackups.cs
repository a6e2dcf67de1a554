using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// Removes backups. What others build on is folded into them first, so that every survivor restores at any moment.
/// </summary>
public static class RemoveBackups
{
    private const int MostAttempts = 3;

    /// <summary>Removes backups of one directory.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="directory">Where they lie.</param>
    /// <param name="removed">Called for each that is gone.</param>
    /// <param name="failed">Called for each that is still there, with the reason.</param>
    /// <param name="context">Clock, messages, cancellation. Stopped, what was not removed is as it was.</param>
    /// <param name="confirm">
    /// Asked under the directory's lock, right before the removal, with all backups that are there then: the ids of those
    /// that may still go. Without it, all may.
    /// </param>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryNotWritable, DirectoryLocked.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static void Run(
        IReadOnlyCollection<string> ids,
        BackupDirectory directory,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        OperationContext context,
        Func<IReadOnlyList<BackupMetadata>, IReadOnlySet<string>>? confirm = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(failed);
        ArgumentNullException.ThrowIfNull(context);
        directory.Recover(context);
        var open = ids.ToHashSet(StringComparer.Ordinal);
        for (var attempt = 1; open.Count > 0; attempt++)
        {
            var again = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (id, reason) in FoldAway(open, directory, context))
            {
                open.Remove(id);
                if (attempt < MostAttempts && IsGone(reason.InnerException))
                {
                    again.Add(id);
                }
                else
                {
                    failed(reason);
                }
            }

            directory.Remove(
                Confirmed(open),
                removed,
                fault =>
                {
                    if (fault is { ErrorId: BackupErrorId.BackupHasDependants, Target: string id } && attempt < MostAttempts)
                    {
                        // Somebody has built on it, or folded, since the plan was made.
                        again.Add(id);
                    }
                    else
                    {
                        failed(fault);
                    }
                },
                context.Cancellation,
                context.Warn);
            open = again;
        }

        // An iterator, which runs under the lock.
        IEnumerable<string> Confirmed(HashSet<string> wanted)
        {
            var still = confirm?.Invoke(directory.List().Backups);
            foreach (var id in wanted.Where(id => still?.Contains(id) ?? true))
            {
                yield return id;
            }
        }
    }

    /// <summary>Whether something that was planned with is not there any more, as another run may have folded or removed it meanwhile.</summary>
    private static bool IsGone(Exception? exception) => exception is BackupException
    {
        ErrorId: BackupErrorId.BackupFileMissing or BackupErrorId.BackupNotFound or BackupErrorId.ChainBroken,
    };

    /// <summary>Folds what is about to be removed into what builds on it.</summary>
    /// <returns>What must stay, because it could not be folded.</returns>
    private static Dictionary<string, BackupException> FoldAway(HashSet<string> ids, BackupDirectory directory, OperationContext context)
    {
        var blocked = new Dictionary<string, BackupException>(StringComparer.Ordinal);
        var failed = new Dictionary<string, BackupException>(StringComparer.Ordinal);
        var folds = new List<(Fold Fold, PageSet? Pages)>();
        foreach (var fold in FoldPlan.ForRemoval(directory.List().Backups, ids))
        {
            Try(fold, () => folds.Add((fold, FoldBackup.CollectPages(fold, directory, context.Cancellation))));
        }

        foreach (var (fold, pages) in folds)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            Try(fold, () =>
            {
                if (fold.NewParentId is { } parent && failed.TryGetValue(parent, out var fault))
                {
                    throw fault;
                }

                context.Verbose($"'{fold.Survivor.Id}' is made {(fold.NewParentId is null ? "a full backup" : $"to build on '{fold.NewParentId}'")}, so that {string.Join(", ", fold.Freed.Select(backup => backup.Id))} can be removed.");

                // Where another run came first, the removal finds a dependant, and all is planned anew.
                _ = FoldBackup.Run(fold, pages, directory, context);
            });
        }

        return blocked;

        void Try(Fold fold, Action action)
        {
            try
            {
                action();
            }
            catch (BackupException exception)
            {
                failed[fold.Survivor.Id] = exception;
                foreach (var needed in fold.Freed)
                {
                    _ = blocked.TryAdd(needed.Id, Blocked(needed, fold.Survivor, exception));
                }
            }
        }
    }

    private static BackupException Blocked(BackupMetadata needed, BackupMetadata survivor, BackupException reason) => new(
        BackupErrorId.BackupHasDependants,
        BackupErrorCategory.InvalidOperation,
        needed.Id,
        $"'{needed.Id}' is not removed: '{survivor.Id}' builds on it, and could not be made independent of it ({reason.Message}) Both are left as they are. Test the chain with Test-SHBackup; to remove what builds on it as well, add -Cascade.",
        reason);
}
