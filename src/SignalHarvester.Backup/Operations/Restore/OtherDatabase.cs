using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Keeps a restore from going over another database than the one that the backup is of.</summary>
internal static class OtherDatabase
{
    private const string WayOut = "To restore there anyway, add -AllowOtherDatabase.";

    /// <summary>Refuses a file that another database has its place at, as the backups beside this one tell.</summary>
    /// <param name="source">The backup. One that does not say by a full path of this system which database it is of is refused nothing.</param>
    /// <param name="destination">The file, as a full path.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">DestinationIsOtherDatabase.</exception>
    public static void RefusePlace(BackupSource source, string destination, CancellationToken cancellation)
    {
        var backup = source.Backup;
        if (backup.DatabasePath is not { } own || !Path.IsPathFullyQualified(own) || DatabasePlace.IsSame(own, destination))
        {
            return;
        }

        // What a restore overwrote is no proof of a database at home there: the file may have been a restored copy.
        var others = source.Catalog.List(cancellation).Backups.Where(other => !other.IsSafety).Select(other => other.DatabasePath).OfType<string>().Distinct(
            StringComparer.Ordinal);
        if (others.Any(other => Path.IsPathFullyQualified(other) && DatabasePlace.IsSame(other, destination)))
        {
            throw Fault(
                destination,
                $"'{destination}' is another database, with backups of its own in '{source.Catalog}'; '{backup.Id}' is a backup of '{own}'. It was not changed. Find the backups of a database with Get-SHBackup -Database, or give another -Destination. {WayOut}");
        }
    }

    /// <summary>
    /// Refuses a database whose tables have other names than the backup's: where both are of one path, all of them; else at least
    /// half of those that could have the same. Those of frameworks count for nothing. One without any others is refused nothing.
    /// </summary>
    /// <param name="backup">The backup.</param>
    /// <param name="destination">The file, as a full path.</param>
    /// <param name="there">The tables there; null if they are not known.</param>
    /// <param name="inBackup">The tables of the backup; null if they are not known.</param>
    /// <exception cref="BackupException">DestinationIsOtherDatabase.</exception>
    public static void RefuseTables(BackupMetadata backup, string destination, IReadOnlySet<SqliteName>? there, IReadOnlySet<SqliteName>? inBackup)
    {
        if (there is null || inBackup is null || SharedTables.Own(there).Count == 0)
        {
            return;
        }

        if (!SharedTables.AreOfOne(there, inBackup, backup.DatabasePath is { } own && DatabasePlace.IsSame(own, destination)))
        {
            // Without the names: the history lies beside encrypted backups too.
            throw Fault(
                destination,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{destination}' is another database: its tables ({there.Count}) and those of the backup '{backup.Id}'{(backup.DatabasePath is { Length: > 0 } path ? $" of '{path}'" : string.Empty)} ({inBackup.Count}) have too few names in common (names that many applications use do not count). It was not changed. Find the backups of a database with Get-SHBackup -Database, or give another -Destination. {WayOut}"));
        }
    }

    private static BackupException Fault(string destination, string message) =>
        new(BackupErrorId.DestinationIsOtherDatabase, destination, message);
}
