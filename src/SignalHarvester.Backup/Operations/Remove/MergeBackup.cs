using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>Makes a full backup of an increment and the backups that it builds on, without touching the database.</summary>
internal static class MergeBackup
{
    /// <summary>Rewrites a backup as a full one. It keeps its id, and backups that build on it continue to do so.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The backup as it is now. One that is already full is returned unchanged.</returns>
    /// <exception cref="BackupException">A link of the chain is damaged or missing, or there is no room: nothing was changed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing was changed.</exception>
    public static BackupMetadata Run(BackupMetadata backup, BackupDirectory directory, OperationContext context)
    {
        return BackupRewrite.Run(backup.Id, directory, TryMerge, context);

        bool TryMerge(BackupMetadata current)
        {
            if (!BackupChain.IsIncrement(current))
            {
                context.Verbose($"'{current.Id}' is not an increment, so it does not change.");
                return true;
            }

            var chain = directory.Chain(current.Id);
            return FoldBackup.Run(new Fold(current, NewParentId: null, Sources: [], Freed: [.. chain.SkipLast(1)]), pages: null, directory, context);
        }
    }
}
