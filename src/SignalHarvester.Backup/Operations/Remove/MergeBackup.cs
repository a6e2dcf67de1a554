using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>Makes a full backup out of an increment and what it builds on, without touching the database.</summary>
internal static class MergeBackup
{
    private const int MostAttempts = 3;

    /// <summary>Rewrites a backup as a full one. It keeps its id; what builds on it goes on to do so.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="directory">Where it lies.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The backup as it is now; one that is full already is returned as it is.</returns>
    /// <exception cref="BackupException">A link of the chain is damaged or missing, or there is no room: nothing was changed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing was changed.</exception>
    public static BackupMetadata Run(BackupMetadata backup, BackupDirectory directory, OperationContext context)
    {
        directory.Recover(context);
        for (var attempt = 1; ; attempt++)
        {
            var current = directory.Get(backup.Id);
            if (!BackupChain.IsIncrement(current))
            {
                context.Verbose($"'{current.Id}' is not an increment, so it does not change.");
                return current;
            }

            var chain = directory.Chain(current.Id);
            if (FoldBackup.Run(new Fold(current, NewParentId: null, Sources: [], Freed: [.. chain.SkipLast(1)]), pages: null, directory, context))
            {
                return directory.Get(current.Id);
            }

            if (attempt == MostAttempts)
            {
                throw new BackupException(
                    BackupErrorId.DirectoryLocked, current.Id, $"'{current.Id}' was not merged, because other runs keep rewriting it. Run it again when they have ended.");
            }
        }
    }
}
