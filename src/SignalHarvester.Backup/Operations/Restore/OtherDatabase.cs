using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Keeps a restore from going over another database than the one that the backup is of.</summary>
internal static class OtherDatabase
{
    private const string WayOut = "To restore there all the same, add -AllowOtherDatabase.";

    // Elsewhere the file itself tells, in whatever case it is written.
    private static readonly StringComparison PathComparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Refuses a file that another database has its place at, as the backups beside this one tell.</summary>
    /// <param name="backup">The backup. One that does not say by a full path of this system which database it is of is refused nothing.</param>
    /// <param name="destination">The file, as a full path.</param>
    /// <param name="list">Lists the backups where this one lies. Called only where the backup is of another path.</param>
    /// <exception cref="BackupException">DestinationIsOtherDatabase.</exception>
    public static void RefusePlace(BackupMetadata backup, string destination, Func<CatalogListing> list)
    {
        if (backup.DatabasePath is not { } own || !Path.IsPathFullyQualified(own) || IsSamePlace(own, destination))
        {
            return;
        }

        // What a restore overwrote is no proof of a database at home there: the file may have been a restored copy.
        var others = list().Backups.Where(other => !other.IsSafety).Select(other => other.DatabasePath).OfType<string>().Distinct(StringComparer.Ordinal);
        if (others.Any(other => Path.IsPathFullyQualified(other) && IsSamePlace(other, destination)))
        {
            throw Fault(
                destination,
                $"'{destination}' is another database, with backups of its own in '{backup.BackupDirectory}'; '{backup.Id}' is a backup of '{own}'. It was not changed. Find the backups of a database with Get-SHBackup -Database, or give another -Destination. {WayOut}");
        }
    }

    /// <summary>Refuses a database whose tables all have other names than the backup's. One without tables is refused nothing.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="destination">The file, as a full path.</param>
    /// <param name="there">The tables there; null where they are not known.</param>
    /// <param name="inBackup">The tables of the backup; null where they are not known.</param>
    /// <exception cref="BackupException">DestinationIsOtherDatabase.</exception>
    public static void RefuseTables(BackupMetadata backup, string destination, IReadOnlySet<SqliteName>? there, IReadOnlySet<SqliteName>? inBackup)
    {
        if (there is { Count: > 0 } && inBackup is not null && !there.Overlaps(inBackup))
        {
            // Without the names: the history lies beside encrypted backups too.
            throw Fault(
                destination,
                string.Create(CultureInfo.InvariantCulture, $"'{destination}' is another database: its tables ({there.Count}) and those of the backup '{backup.Id}'{(backup.DatabasePath is { Length: > 0 } own ? $" of '{own}'" : string.Empty)} ({inBackup.Count}) have no name in common. It was not changed. Find the backups of a database with Get-SHBackup -Database, or give another -Destination. {WayOut}"));
        }
    }

    /// <summary>Whether two paths lead to the same file, of which one is there.</summary>
    public static bool IsSamePlace(string one, string other) =>
        string.Equals(one, other, PathComparison) || (FileIdentity.Of(one) is { } file && file == FileIdentity.Of(other));

    private static BackupException Fault(string destination, string message) =>
        new(BackupErrorId.DestinationIsOtherDatabase, BackupErrorCategory.InvalidOperation, destination, message);
}
