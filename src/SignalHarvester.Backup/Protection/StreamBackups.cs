using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Makes the ordinary backups of a stream, from what its follower knows, and sends them to the store of the stream.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="directory">The backup directory.</param>
/// <param name="store">The store.</param>
/// <param name="follower">The follower of the database.</param>
/// <param name="writer">The writer of the stream.</param>
/// <param name="options">The options of the protection.</param>
internal sealed class StreamBackups(
    string databasePath, BackupDirectory directory, StoreCatalog store, Follower follower, StreamWriter writer, ProtectionOptions options)
{
    /// <summary>Makes the backup from which the stream continues.</summary>
    /// <param name="reason">Why it does.</param>
    /// <param name="why">That in words.</param>
    /// <param name="context">Messages, cancellation.</param>
    /// <returns>The backup, not sent yet, its snapshot, and the pages that no transaction has written, if they were looked for.</returns>
    public (BackupMetadata Backup, FollowedSnapshot Snapshot, AuditResult? Unexplained) MakeBase(BaseReason reason, string why, OperationContext context)
    {
        // Its own segment has the next number. Only where transactions were too many is it proved that they have written all that differs.
        var followed = new FollowedBackup(follower, isBase: true, snapshot => Position(snapshot, writer.Number + 1)) { ReadsAll = reason != BaseReason.Bulk };
        try
        {
            var backup = Make(followed, verify: reason == BaseReason.Start, context);
            return (backup, followed.Snapshot!, Found(followed));
        }
        catch
        {
            follower.Failed(reason, why);
            throw;
        }
    }

    /// <summary>Makes an ordinary backup of what changed since the last one.</summary>
    /// <param name="readsAll">Whether every page is read, to hold the database against its transactions.</param>
    /// <param name="context">Messages, cancellation.</param>
    public OrdinaryBackup MakeOrdinary(bool readsAll, OperationContext context)
    {
        var followed = new FollowedBackup(follower, isBase: false, snapshot => Position(snapshot, writer.Number)) { ReadsAll = readsAll };
        try
        {
            var backup = Make(followed, verify: false, context);
            return new OrdinaryBackup(backup, followed.Position?.Transaction, Found(followed));
        }
        catch
        {
            follower.Failed(null, null);
            throw;
        }
    }

    /// <summary>
    /// Takes the place in the stream from backups whose transactions are not stored. After a crash their numbers are given to other transactions.
    /// </summary>
    /// <param name="positions">The backups with a place in the stream.</param>
    /// <param name="context">Cancellation.</param>
    /// <exception cref="BackupException">DirectoryLocked, DirectoryNotWritable.</exception>
    public void ForgetUnstored(IEnumerable<(string BackupId, StreamPosition Position)> positions, OperationContext context)
    {
        foreach (var (id, position) in positions)
        {
            if (position.Timeline == writer.Timeline && (position.Transaction > writer.Transaction || position.Number > writer.Number)
                && directory.TryGet(id) is { } backup)
            {
                _ = directory.TryUpdate(
                    backup,
                    current => current with { Metadata = StreamPosition.Without(current.Metadata) },
                    schemaChecksum: null,
                    context.Cancellation);
            }
        }
    }

    /// <summary>Sends a backup, with what it builds on.</summary>
    /// <exception cref="BackupException">The Cloud… errors; BackupNotFound: it was removed here.</exception>
    public void Send(string id, OperationContext context) =>
        _ = BackupEngine.Send(directory.Get(id), directory, store, static () => { }, context);

    private static AuditResult? Found(FollowedBackup followed) =>
        followed is { Unexplained: { } pages, Snapshot.Since: { } since } ? new AuditResult(since, pages) : null;

    private BackupMetadata Make(FollowedBackup followed, bool verify, OperationContext context)
    {
        var wanted = new CreateBackupOptions
        {
            Strategy = BackupStrategy.Auto,
            Compression = options.Compression,
            CompressionLevel = options.CompressionLevel,
            Encryption = options.Encryption,
            RetentionPolicy = options.RetentionPolicy,
            Verify = verify,
            AllowHardLink = true,
            Followed = followed,
        };
        var backup = BackupEngine.Create(databasePath, directory, wanted, context);
        if (followed.Snapshot is not null)
        {
            follower.Published(backup.Id);
        }

        return backup;
    }

    private StreamPosition Position(FollowedSnapshot snapshot, long number) =>
        new(DatabaseKey.Of(databasePath), writer.Stream, writer.Timeline, number, snapshot.Transaction, snapshot.Time, snapshot.Digest.Mark)
        {
            Window = options.KeepTransactions,
        };
}
