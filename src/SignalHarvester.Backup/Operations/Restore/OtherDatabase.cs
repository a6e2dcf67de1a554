using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Keeps a restore from overwriting another database than the backup's own.</summary>
internal static class OtherDatabase
{
    private const string WayOut = "To restore there anyway, add -AllowOtherDatabase.";

    /// <summary>Refuses a file if the backups beside this one show that it is another database's place.</summary>
    /// <param name="source">The backup. If it does not name its database by a full path of this system, no file is refused.</param>
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

        // A safety backup does not prove that a database belongs there: the overwritten file may have been a restored copy.
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
    /// Refuses a database whose tables have other names than the backup's: all of them if both have the same path, otherwise at least
    /// half of those that could be the same. Tables of frameworks do not count. A database without any other tables is never refused.
    /// </summary>
    /// <param name="backup">The backup.</param>
    /// <param name="destination">The file, as a full path.</param>
    /// <param name="there">The tables of the file; null if unknown.</param>
    /// <param name="inBackup">The tables of the backup; null if unknown.</param>
    /// <exception cref="BackupException">DestinationIsOtherDatabase.</exception>
    public static void RefuseTables(BackupMetadata backup, string destination, IReadOnlySet<SqliteName>? there, IReadOnlySet<SqliteName>? inBackup)
    {
        if (there is null || inBackup is null || SharedTables.Own(there).Count == 0)
        {
            return;
        }

        if (!SharedTables.AreOfOne(there, inBackup, backup.DatabasePath is { } own && DatabasePlace.IsSame(own, destination)))
        {
            // The message omits the names, because the history lies beside encrypted backups too.
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
