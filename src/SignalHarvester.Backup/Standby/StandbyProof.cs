using System.Security.Cryptography;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Standby;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Standby;

/// <summary>
/// Holds a standby whose log somebody else has copied and emptied, as the last of its readers does, against the transaction at which it was left,
/// restored from the store.
/// </summary>
/// <param name="path">The standby, which nobody has open here.</param>
/// <param name="store">Where the stream and the backups are.</param>
/// <param name="home">The backup directory of this machine, for what is fetched.</param>
/// <param name="options">How the standby is restored.</param>
/// <param name="context">Messages, cancellation, and the secrets for an encrypted stream.</param>
internal sealed class StandbyProof(string path, StoreCatalog store, BackupDirectory home, RestoreOptions options, OperationContext context)
{
    private const string Suffix = ".shbackup-proof";

    /// <summary>Finds out at which of the places of a state the standby is.</summary>
    /// <param name="backups">The backups of the protected database in the store.</param>
    /// <param name="state">The state.</param>
    /// <returns>The place; null if it is at none, or that cannot be proved any more.</returns>
    public StandbyPlace? Find(IReadOnlyList<BackupMetadata> backups, StandbyState state)
    {
        context.Verbose($"The log of '{path}' was emptied by somebody else, so the file is held against its last transaction.");
        foreach (var known in new[] { state.Next, state.Place }.OfType<StandbyPlace>())
        {
            try
            {
                var mark = FileMark.Of(path);
                if (IsAt(StreamPlanner.OfTransaction(store, backups, known.Transaction, context)))
                {
                    return known with { Log = null, Rest = mark };
                }
            }
            catch (BackupException exception) when (exception.ErrorId is BackupErrorId.StreamHole or BackupErrorId.TransactionNotFound)
            {
                context.Verbose(exception.Message);
            }
        }

        return null;
    }

    private bool IsAt(StreamPlan plan)
    {
        var proof = path + Suffix;
        DurableFile.Discard(proof);
        try
        {
            _ = BackupEngine.Restore(
                new BackupSource(plan.Start, BackupCatalog.Of(store, home)),
                options with { Destination = proof, Stream = plan, SafetyDirectory = null, Verify = false, IsPrivate = true, AllowOtherDatabase = true },
                context);
            return SqliteDescriptors.LookWhileClosed(path, () => HashOf(path).SequenceEqual(HashOf(proof)), ifOpen: false);
        }
        finally
        {
            DurableFile.Discard(proof);
        }
    }

    private static byte[] HashOf(string file)
    {
        using var content = File.OpenRead(file);
        return SHA256.HashData(content);
    }
}
