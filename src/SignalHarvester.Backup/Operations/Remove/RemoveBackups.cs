using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>
/// Removes backups. What others build on is folded into them first, so that every survivor restores at any moment. Where it
/// cannot be, because it is encrypted and no secret key is at hand, it is retired: out of every listing, and deleted with
/// the last that builds on it.
/// </summary>
internal static class RemoveBackups
{
    // Each attempt after the first means that another run has got further meanwhile. Only one that goes on without end
    // gets this one to its last.
    private const int MostAttempts = 10;

    /// <summary>Removes backups of one directory.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="directory">Where they lie.</param>
    /// <param name="removed">Called for each that is gone.</param>
    /// <param name="failed">Called for each that is still there, with the reason. One that another run has removed is no failure.</param>
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
                    // What was asked for is so, whoever did it.
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

    /// <summary>What was retired before is folded away as well, where there is a key to do so with.</summary>
    private static HashSet<string> WithRetired(HashSet<string> ids, IReadOnlyList<BackupMetadata> backups, OperationContext context) =>
        context.Identities.IsEmpty ? ids : [.. ids, .. backups.Where(backup => backup.IsRetired).Select(backup => backup.Id)];

    private static bool IsLocked(BackupException blocked) =>
        blocked.InnerException is BackupException { ErrorId: BackupErrorId.IdentityMissing or BackupErrorId.IdentityWrong };

    /// <summary>The files that count: others as soon as a run has added, removed or rewritten a backup.</summary>
    private static HashSet<string> Files(IEnumerable<BackupMetadata> backups) => backups.Select(backup => backup.BackupPath).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// Whether a removal may have failed because another run came first: it has built on the backup since the plan was
    /// made, or folded or removed something that was planned with.
    /// </summary>
    private static bool MayPass(BackupException fault) =>
        fault is { ErrorId: BackupErrorId.BackupHasDependants, Target: string }
        && fault.InnerException is null or BackupException
        {
            ErrorId: BackupErrorId.BackupFileMissing or BackupErrorId.BackupNotFound or BackupErrorId.ChainBroken,
        };

    /// <summary>Folds what is about to be removed into what builds on it.</summary>
    /// <returns>What must stay, because it could not be folded.</returns>
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

    private static string Advice(BackupException reason) =>
        reason.ErrorId is BackupErrorId.InsufficientSpace or BackupErrorId.WriteFailed or BackupErrorId.DirectoryNotWritable
        ? "Free some space, or correct the cause of the failed write, and remove it again."
        : "Test the chain with Test-SHBackup; to remove the backups that build on it as well, add -Cascade.";

    private static BackupException Blocked(BackupMetadata needed, BackupMetadata survivor, BackupException reason) => new(
        BackupErrorId.BackupHasDependants, needed.Id,
        $"'{needed.Id}' was not removed: '{survivor.Id}' builds on it and could not be made independent ({reason.Message}) Both are unchanged. {Advice(reason)}",
        reason);
}
