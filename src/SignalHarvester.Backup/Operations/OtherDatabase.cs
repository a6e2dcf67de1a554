using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations;

/// <summary>Keeps a restore from going over another database than the one that the backup is of.</summary>
internal static class OtherDatabase
{
    // As many as Linux itself follows: a circle of folders ends.
    private const int MostLinks = 40;
    private const string WayOut = "To restore there all the same, add -AllowOtherDatabase.";

    private static readonly StringComparison PathComparison =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Refuses a file that another database has its place at, as the backups beside this one tell.</summary>
    /// <param name="backup">The backup. One that does not say which database it is of is refused nothing.</param>
    /// <param name="destination">The file, as a full path.</param>
    /// <param name="list">Lists the backups where this one lies. Called only where the backup is of another path.</param>
    /// <exception cref="BackupException">DestinationIsOtherDatabase.</exception>
    public static void RefusePlace(BackupMetadata backup, string destination, Func<CatalogListing> list)
    {
        if (backup.DatabasePath is not { Length: > 0 } own || !File.Exists(destination) || IsSamePlace(own, destination))
        {
            return;
        }

        // What a restore overwrote is no proof of a database at home there: the file may have been a restored copy.
        var others = list().Backups.Where(other => !other.IsSafety).Select(other => other.DatabasePath).OfType<string>().Distinct(StringComparer.Ordinal);
        if (others.Any(other => other.Length > 0 && IsSamePlace(other, destination)))
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

    /// <summary>Whether two paths lead to the same place, links followed as far as they are there.</summary>
    public static bool IsSamePlace(string one, string other) =>
        string.Equals(one, other, PathComparison)
        || (Path.IsPathFullyQualified(one) && Path.IsPathFullyQualified(other) && string.Equals(WithoutLinks(one), WithoutLinks(other), PathComparison));

    private static string WithoutLinks(string path)
    {
        var left = MostLinks;
        return Followed(path, ref left);
    }

    private static string Followed(string path, ref int left)
    {
        var full = Path.GetFullPath(path);
        if (Path.GetDirectoryName(full) is not { } folder)
        {
            return full;
        }

        var here = Path.Combine(Followed(folder, ref left), Path.GetFileName(full));
        try
        {
            return left-- > 0 && new FileInfo(here).ResolveLinkTarget(returnFinalTarget: false) is { } target ? Followed(target.FullName, ref left) : here;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A link that leads nowhere, in a circle or where this account may not look: it is what it is called.
            return here;
        }
    }

    private static BackupException Fault(string destination, string message) =>
        new(BackupErrorId.DestinationIsOtherDatabase, BackupErrorCategory.InvalidOperation, destination, message);
}
