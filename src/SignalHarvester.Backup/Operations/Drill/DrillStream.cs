using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Drill;

/// <summary>
/// Proves that a stream of transactions restores: the newest one in the store is restored as in a real restore, and, on the machine that protects the
/// database, held against the last transaction that it reported as stored.
/// </summary>
internal static class DrillStream
{
    /// <summary>Runs one drill. A failed restore is a result, not an exception.</summary>
    /// <param name="store">The store of the stream.</param>
    /// <param name="backups">The backups of the database there, with their depths, newest first; at least one.</param>
    /// <param name="home">The backup directory of this machine.</param>
    /// <param name="assertions">The queries on the restored database.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="OperationCanceledException">It was stopped, and removed its unfinished work.</exception>
    public static RestoreDrill Run(
        StoreCatalog store, IReadOnlyList<BackupMetadata> backups, BackupDirectory home, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        // Before the store is asked: what is stored later may be there too.
        var stored = new ProtectionFolder(home, backups[0].DatabasePath!).Status() is { RestorableTo: not null } primary
            && primary.Store == store.Location.ToString() ? primary.StoredTransaction : (long?)null;
        StreamPlan plan;
        try
        {
            plan = StreamPlanner.Newest(store, backups, context);
        }
        catch (BackupException exception)
        {
            return DrillBackup.NotRestored(new BackupSource(backups[0], BackupCatalog.Of(store, home)), exception, context);
        }

        var drill = DrillBackup.Run(new BackupSource(plan.Start, BackupCatalog.Of(store, home)), plan, assertions, context);
        if (stored is null)
        {
            context.Verbose(
                $"Nothing is known here of a protection of '{backups[0].DatabasePath}' to '{store.Location}', so nothing says which transaction must be there.");
            return drill;
        }

        drill = drill with { StoredTransaction = stored };
        return drill.Passed && plan.Transaction < stored
            ? drill with
            {
                Passed = false,
                ErrorId = BackupErrorId.RestoreDrillFailed,
                Reason = string.Create(
                    CultureInfo.InvariantCulture,
                    $"the stream leads to transaction {plan.Transaction}, but its protection has reported {stored} as stored. Segments are missing in the store, or another one is drilled than the one that the protection uses."),
            }
            : drill;
    }
}
