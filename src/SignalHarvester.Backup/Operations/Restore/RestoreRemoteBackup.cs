using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Restores a backup from an object store: fetched with its chain, then restored as one that lies here, then deleted here.</summary>
public static class RestoreRemoteBackup
{
    /// <summary>Restores one backup.</summary>
    /// <param name="id">Which.</param>
    /// <param name="remote">Where it is.</param>
    /// <param name="home">The backup directory below which what is fetched lies for a while.</param>
    /// <param name="options">Where to, and how.</param>
    /// <param name="context">Clock, messages, cancellation. Stopped while fetching, what has come is not fetched again the next time.</param>
    /// <returns>The backup as it is in the store, with the checks of this restore.</returns>
    /// <exception cref="BackupException">As fetching and restoring it.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the destination is as it was.</exception>
    internal static BackupMetadata Run(string id, RemoteCatalog remote, BackupDirectory home, RestoreOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(remote);
        ArgumentNullException.ThrowIfNull(home);
        ArgumentNullException.ThrowIfNull(options);
        var backup = remote.Get(id, context.Cancellation);
        if (!options.AllowOtherDatabase)
        {
            OtherDatabase.RefusePlace(backup, options.Destination, () => remote.List(context.Cancellation));
        }

        using var staged = StagedBackup.Fetch(id, remote, home, context);
        var restored = RestoreBackup.Run(staged.Backup, staged.Directory, options, context);
        return backup with { Verification = restored.Verification };
    }

    /// <summary>What a restore would fetch, read and write.</summary>
    /// <param name="id">Which.</param>
    /// <param name="remote">Where it is.</param>
    /// <param name="destination">The file that must not be another database's place; null where that does not matter.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">BackupNotFound, ChainBroken, DestinationIsOtherDatabase, and the Cloud… errors.</exception>
    public static RestorePlan Plan(string id, RemoteCatalog remote, string? destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(remote);
        var links = remote.Chain(id, cancellation);
        if (destination is not null)
        {
            OtherDatabase.RefusePlace(links[^1].Backup, destination, () => remote.List(cancellation));
        }

        return new RestorePlan([.. links.Reverse().Select(link => link.Backup)], links.Sum(link => link.Backup.Size), links[^1].Backup.DatabaseSize);
    }
}
