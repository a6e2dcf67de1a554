using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>
/// Removes backups. A backup on which others build is first folded into them, so that every remaining one restores at any
/// moment. If that is impossible, because it is encrypted and there is no secret key, it is retired: no listing shows it, and it
/// is deleted together with the last one that builds on it.
/// </summary>
internal static class RemoveBackups
{
    // Each attempt after the first means that another run has made progress meanwhile. Only a run that continues without end
    // makes this one use its last attempt.
    private const int MostAttempts = 10;

    /// <summary>Removes backups of one directory.</summary>
    /// <param name="ids">The backups' ids.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="removed">Called for each backup that was removed.</param>
    /// <param name="failed">Called for each backup that could not be removed, with the reason. A removal by another run is no failure.</param>
    /// <param name="context">Clock, messages, cancellation. If it is stopped, the remaining backups are unchanged.</param>
    /// <param name="confirm">
    /// Called under the directory's lock, right before the removal, with all backups of that moment. Returns the ids of those that
    /// may still be removed. Without it, all may.
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
        directory.Recover(context);
        var open = ids.ToHashSet(StringComparer.Ordinal);
        for (var attempt = 1; open.Count > 0; attempt++)
        {
            var doubtful = new Dictionary<string, BackupException>(StringComparer.Ordinal);
            var planned = directory.ListAll().Backups;
            var retirable = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (id, reason) in FoldAway(WithRetired(open, planned, context), planned, directory, context))
            {
                if (IsLocked(reason))
                {
                    retirable.Add(id);
                }
                else if (open.Remove(id))
                {
                    Judge(reason);
                }
            }

            directory.Remove(Confirmed(open), retirable, Gone, Judge, context.Cancellation, context.Warn);
            if (doubtful.Count > 0 && (attempt == MostAttempts || Files(planned).SetEquals(Files(directory.ListAll().Backups))))
            {
                foreach (var fault in doubtful.Values)
                {
                    failed(fault);
                }

                return;
            }

            open = [.. doubtful.Keys];

            void Gone(BackupMetadata backup)
            {
                if (backup.IsRetired)
                {
                    context.Verbose(
                        $"'{backup.Id}' is hidden but kept, because encrypted backups that build on it cannot be opened here. It is deleted with the last of them.");
                }

                removed(backup);
            }

            void Judge(BackupException fault)
            {
                if (fault is { ErrorId: BackupErrorId.BackupNotFound, Target: string gone } && BackupFileName.IsId(gone))
                {
                    // The request is fulfilled, whoever did it.
                    context.Verbose($"'{gone}' is already gone: another run has removed it.");
                }
                else if (MayPass(fault))
                {
                    doubtful.Add((string)fault.Target!, fault);
                }
                else
                {
                    failed(fault);
                }
            }
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

    /// <summary>Adds the backups that were retired before, if there is now a key with which they can be folded.</summary>
    private static HashSet<string> WithRetired(HashSet<string> ids, IReadOnlyList<BackupMetadata> backups, OperationContext context) =>
        context.Identities.IsEmpty ? ids : [.. ids, .. backups.Where(backup => backup.IsRetired).Select(backup => backup.Id)];

    private static bool IsLocked(BackupException blocked) =>
        blocked.InnerException is BackupException { ErrorId: BackupErrorId.IdentityMissing or BackupErrorId.IdentityWrong };

    /// <summary>Returns the files of the backups: they change as soon as a run adds, removes or rewrites a backup.</summary>
    private static HashSet<string> Files(IEnumerable<BackupMetadata> backups) => backups.Select(backup => backup.BackupPath).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// Whether a removal may have failed because another run came first: since the plan was made, that run built on the backup, or
    /// folded or removed a backup of the plan.
    /// </summary>
    private static bool MayPass(BackupException fault) =>
        fault is { ErrorId: BackupErrorId.BackupHasDependants, Target: string }
        && fault.InnerException is null or BackupException
        {
            ErrorId: BackupErrorId.BackupFileMissing or BackupErrorId.BackupNotFound or BackupErrorId.ChainBroken,
        };

    /// <summary>Folds the backups that will be removed into those that build on them.</summary>
    /// <returns>The backups that must stay because they could not be folded, with the reasons.</returns>
    private static Dictionary<string, BackupException> FoldAway(
        HashSet<string> ids, IReadOnlyList<BackupMetadata> backups, BackupDirectory directory, OperationContext context)
    {
        var blocked = new Dictionary<string, BackupException>(StringComparer.Ordinal);
        var failed = new Dictionary<string, BackupException>(StringComparer.Ordinal);
        var folds = new List<(Fold Fold, PageSet? Pages)>();
        foreach (var fold in FoldPlan.ForRemoval(backups, ids))
        {
            Try(fold, () => folds.Add((fold, FoldBackup.CollectPages(fold, directory, context))));
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

                context.Verbose(
                    $"'{fold.Survivor.Id}' will {(fold.NewParentId is null ? "become a full backup" : $"build on '{fold.NewParentId}'")}, so that {string.Join(", ", fold.Freed.Select(backup => backup.Id))} can be removed.");

                // If another run came first, the removal finds a dependant, and everything is planned again.
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

    private static string Advice(BackupException reason) =>
        reason.ErrorId is BackupErrorId.InsufficientSpace or BackupErrorId.WriteFailed or BackupErrorId.DirectoryNotWritable
        ? "Free some space, or correct the cause of the failed write, and remove it again."
        : "Test the chain with Test-SHBackup; to remove the backups that build on it as well, add -Cascade.";

    private static BackupException Blocked(BackupMetadata needed, BackupMetadata survivor, BackupException reason) => new(
        BackupErrorId.BackupHasDependants, needed.Id,
        $"'{needed.Id}' was not removed: '{survivor.Id}' builds on it and could not be made independent ({reason.Message}) Both are unchanged. {Advice(reason)}",
        reason);
}
