using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>Rewrites a backup that other runs may rewrite at the same time: if one was faster, the backup is read again.</summary>
internal static class BackupRewrite
{
    private const int MostAttempts = 3;

    /// <summary>Rewrites one backup.</summary>
    /// <param name="id">The backup's id.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="tryRewrite">Rewrites the present backup; false if another run changed it meanwhile.</param>
    /// <param name="context">Messages, cancellation.</param>
    /// <returns>The rewritten backup.</returns>
    /// <exception cref="BackupException">BackupNotFound; DirectoryLocked: other runs changed it each time.</exception>
    public static BackupMetadata Run(string id, BackupDirectory directory, Func<BackupMetadata, bool> tryRewrite, OperationContext context)
    {
        directory.Recover(context);
        for (var attempt = 1; attempt <= MostAttempts; attempt++)
        {
            if (tryRewrite(directory.Get(id)))
            {
                return directory.Get(id);
            }
        }

        throw new BackupException(
            BackupErrorId.DirectoryLocked, id, $"'{id}' was not changed, because other runs keep rewriting it. Run it again when they have ended.");
    }
}
