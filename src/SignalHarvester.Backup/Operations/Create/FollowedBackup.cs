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
    private StreamPosition? position;

    /// <summary>Whether every page is read, although it may be known which ones changed.</summary>
    public bool ReadsAll { get; init; }

    /// <summary>The snapshot of the last attempt; null if it has no place in the stream.</summary>
    public FollowedSnapshot? Snapshot { get; private set; }

    /// <summary>
    /// Its place in the stream; null if it has none. With pages that no transaction has written, it is not what the stream leads to, unless the stream
    /// continues from it.
    /// </summary>
    public StreamPosition? Position => Unexplained is { Count: > 0 } && !isBase ? null : position;

    /// <summary>
    /// The pages that differ from the backup <see cref="FollowedSnapshot.Since"/> although no transaction since has written them, in ascending order; null if
    /// they were not compared with it.
    /// </summary>
    public IReadOnlyList<long>? Unexplained { get; private set; }

    /// <summary>Holds what reading every page has found against what the transactions have written.</summary>
    /// <param name="changed">The pages that differ from the backup <see cref="FollowedSnapshot.Since"/>, in ascending order.</param>
    public void Explain(IEnumerable<long> changed) => Unexplained = Snapshot?.Changed is { } known ? [.. changed.Except(known)] : null;

    /// <summary>Opens the database, so that the snapshot and what the follower has read are the same.</summary>
    /// <param name="open">Opens the database and pins the snapshot.</param>
    /// <exception cref="SnapshotLostException">The stream must continue from this snapshot, but the follower cannot place it now.</exception>
    public LiveDatabase Open(Func<LiveDatabase> open)
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
                Snapshot = follower.Describe(database.Snapshot, database.PageCount, isBase);
            }
            catch
            {
                database.Dispose();
                throw;
            }

            position = Snapshot is null ? null : place(Snapshot);
            Unexplained = null;
            if (Snapshot is not null || !isBase)
            {
                return database;
            }

            database.Dispose();
            throw new SnapshotLostException("the database could not be followed up to the snapshot");
        }
    }
}
