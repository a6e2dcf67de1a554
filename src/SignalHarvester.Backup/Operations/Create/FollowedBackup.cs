using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>An ordinary backup that is made beside a stream, and gets a place in it.</summary>
/// <param name="follower">The follower of the database.</param>
/// <param name="isBase">Whether the stream continues from this backup.</param>
/// <param name="place">Makes the place in the stream for a snapshot.</param>
internal sealed class FollowedBackup(Follower follower, bool isBase, Func<FollowedSnapshot, StreamPosition> place)
{
    /// <summary>The snapshot of the last attempt; null if it has no place in the stream.</summary>
    public FollowedSnapshot? Snapshot { get; private set; }

    /// <summary>Its place in the stream; null if it has none.</summary>
    public StreamPosition? Position { get; private set; }

    /// <summary>Opens the database, so that the snapshot and what the follower has read are the same.</summary>
    /// <param name="open">Opens the database and pins the snapshot.</param>
    /// <param name="parent">The backup on which the new one builds; null for a full one.</param>
    /// <exception cref="SnapshotLostException">The stream must continue from this snapshot, but the follower cannot place it now.</exception>
    public LiveDatabase Open(Func<LiveDatabase> open, BackupMetadata? parent)
    {
        lock (follower.Gate)
        {
            try
            {
                follower.Holder?.Look();
            }
            catch (Exception exception) when (exception is DatabaseReplacedException or SqliteException or IOException)
            {
                throw new SnapshotLostException($"the database could not be followed: {exception.Message.TrimEnd('.')}");
            }

            var database = open();
            try
            {
                Snapshot = follower.Describe(database.Snapshot, database.PageCount, parent, isBase);
            }
            catch
            {
                database.Dispose();
                throw;
            }

            Position = Snapshot is null ? null : place(Snapshot);
            if (Snapshot is not null || !isBase)
            {
                return database;
            }

            database.Dispose();
            throw new SnapshotLostException("the database could not be followed up to the snapshot");
        }
    }
}
