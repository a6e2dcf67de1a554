using System.Collections.Concurrent;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// The places of ordinary backups in their streams, as they were when the protections of a process began. A directory is listed once for all of them:
/// a thousand databases may have their backups in one.
/// </summary>
internal sealed class KnownPositions
{
    private readonly ConcurrentDictionary<string, Lazy<ILookup<string, (string BackupId, StreamPosition Position)>>> directories =
        new(StringComparer.Ordinal);

    /// <summary>Returns the backups with a place in a stream.</summary>
    /// <param name="directory">Where the backups are.</param>
    /// <param name="stream">The name of the stream.</param>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public IEnumerable<(string BackupId, StreamPosition Position)> Of(BackupDirectory directory, string stream) =>
        directories.GetOrAdd(directory.Path, _ => new(() => List(directory))).Value[stream];

    private static ILookup<string, (string BackupId, StreamPosition Position)> List(BackupDirectory directory)
    {
        var found = from backup in directory.List().Backups
                    let position = StreamPosition.Of(backup)
                    where position is not null
                    select (BackupId: backup.Id, Position: position);
        return found.ToLookup(entry => entry.Position.Stream, StringComparer.Ordinal);
    }
}
