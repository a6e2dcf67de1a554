using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>Removes the backups that no retention rule keeps, either those of a directory or the copies in an object store.</summary>
internal static class PruneBackups
{
    /// <summary>
    /// Removes backups by the given decisions. In a directory they are checked again under its lock. A store has no lock, so only one
    /// machine should prune it.
    /// </summary>
    /// <param name="catalog">Where the backups are.</param>
    /// <param name="decisions">The decisions on its backups. Backups that stay may be left out.</param>
    /// <param name="rules">The rules of the decisions.</param>
    /// <param name="now">The time of the decisions.</param>
    /// <param name="removed">Called for each backup that this run has removed.</param>
    /// <param name="failed">Called for each backup that could not be removed.</param>
    /// <param name="context">Messages, cancellation.</param>
    /// <returns>The final decisions: a backup that was not removed is kept, with the reason.</returns>
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

        // A backup that has appeared since is newer than now, and so does not count. If one has vanished or failed a test since, the
        // rules may now keep another one.
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
