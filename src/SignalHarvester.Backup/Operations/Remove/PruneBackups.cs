using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>Removes the backups that retention decided against: those of a directory, or the copies in an object store, never both.</summary>
internal static class PruneBackups
{
    /// <summary>
    /// Removes what the decisions say, as far as a directory still says so once it is locked. In a store nothing is locked: let one
    /// machine prune a place.
    /// </summary>
    /// <param name="catalog">Where the backups are.</param>
    /// <param name="decisions">What was decided on its backups. Those that are not to be touched may be left out.</param>
    /// <param name="rules">The rules that it was decided by.</param>
    /// <param name="now">The time that it was decided for.</param>
    /// <param name="removed">Called for each backup that this run has removed.</param>
    /// <param name="failed">Called for each backup that could not be removed.</param>
    /// <param name="context">Messages, cancellation.</param>
    /// <returns>The decisions as they turned out: what was not removed is kept, and says why.</returns>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryNotWritable, DirectoryLocked, the Cloud… errors: nothing was removed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped between two backups.</exception>
    public static IReadOnlyList<RetentionDecision> Run(
        BackupCatalog catalog,
        IReadOnlyList<RetentionDecision> decisions,
        RetentionRules rules,
        DateTimeOffset now,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        OperationContext context)
    {
        var going = decisions.Where(decision => decision.Action == RetentionAction.Remove)
            .Select(decision => decision.Backup.Id)
            .ToHashSet(StringComparer.Ordinal);
        if (going.Count == 0)
        {
            return decisions;
        }

        var current = decisions.ToDictionary(decision => decision.Backup.Id, StringComparer.Ordinal);
        var gone = new HashSet<string>(StringComparer.Ordinal);
        var faults = new Dictionary<string, string>(StringComparer.Ordinal);
        if (catalog.Store is { } store)
        {
            RemoveCopies.Run(going, store, _ => [catalog.Home], Gone, Note, context);
        }
        else
        {
            RemoveBackups.Run(going, catalog.Home, Gone, Note, context, StillGoing);
        }

        return [.. decisions.Select(Outcome)];

        // What has appeared since is newer than now, and so counts for nothing; what has vanished or failed a test since may
        // make another backup the one to keep.
        IReadOnlySet<string> StillGoing(IReadOnlyList<BackupMetadata> backups)
        {
            current = RetentionPlan.Decide(backups, rules, now).ToDictionary(decision => decision.Backup.Id, StringComparer.Ordinal);
            return current.Values.Where(decision => decision.Action == RetentionAction.Remove)
                .Select(decision => decision.Backup.Id)
                .ToHashSet(StringComparer.Ordinal);
        }

        void Gone(BackupMetadata backup)
        {
            gone.Add(backup.Id);
            removed(backup);
        }

        void Note(BackupException fault)
        {
            if (fault.Target is string id)
            {
                faults[id] = fault.Message;
            }

            failed(fault);
        }

        RetentionDecision Outcome(RetentionDecision decision)
        {
            var id = decision.Backup.Id;
            if (decision.Action == RetentionAction.Keep || gone.Contains(id) || !current.TryGetValue(id, out var last))
            {
                return decision;
            }

            return last.Action == RetentionAction.Keep ? last : NotRemoved(last, faults.GetValueOrDefault(id));
        }
    }

    private static RetentionDecision NotRemoved(RetentionDecision decision, string? fault) =>
        decision with { Action = RetentionAction.Keep, Reasons = ["could not be removed: " + (fault ?? "see the error"), .. decision.Reasons] };
}
