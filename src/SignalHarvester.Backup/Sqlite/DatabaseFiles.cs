using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>What completion and schedules ask of files: whether they are there, whether they are databases, and which columns they have.</summary>
public static class DatabaseFiles
{
    /// <summary>Whether there is a file. It is not opened.</summary>
    /// <param name="path">The file's full path.</param>
    public static bool IsThere(string path) => File.Exists(path);

    /// <summary>Whether a file begins as a database. One that is open in this process counts as one, because it must not be opened again.</summary>
    /// <param name="path">The file's full path.</param>
    public static bool IsDatabase(string path) => SqliteDescriptors.LookWhileClosed(path, () => TryReadHeader(path) is not null, ifOpen: true);

    /// <summary>
    /// Whether a file is a database in WAL mode; null if it is no database, or a link, pipe or the like, or open in this process: so are a database that is
    /// known by another name, and the log of one.
    /// </summary>
    /// <param name="path">The file's full path.</param>
    internal static bool? IsInWalMode(string path)
    {
        const int writeVersion = 18;
        const byte wal = 2;
        byte[]? header = null;
        return FileKind.IsRegularItself(path) && SqliteDescriptors.LookWhileClosed(path, () => (header = TryReadHeader(path)) is not null, ifOpen: false)
            ? header![writeVersion] == wal
            : null;
    }

    /// <summary>Returns the columns of a table in a live database; none if it cannot be read at once.</summary>
    /// <param name="path">The database's full path.</param>
    /// <param name="table">The table.</param>
    public static IReadOnlyList<string> Columns(string path, string table)
    {
        if (!IsThere(path) || !IsDatabase(path))
        {
            return [];
        }

        try
        {
            using var connection = SqliteConnections.OpenForApplication(path, TimeSpan.Zero, standIns: true, CancellationToken.None);
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT name FROM pragma_table_info($table)";
            command.Parameters.AddWithValue("$table", table);
            using var reader = command.ExecuteReader();
            var columns = new List<string>();
            while (reader.Read())
            {
                columns.Add(reader.GetString(0));
            }

            return columns;
        }
        catch (Exception exception) when (exception is SqliteException or BackupException)
        {
            // Tab cannot show an error; the cmdlet itself will report why the database cannot be read.
            return [];
        }
    }

    private static byte[]? TryReadHeader(string path)
    {
        try
        {
            using var file = RegularFile.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var beginning = new byte[DatabaseHeader.Size];
            return file.ReadFully(beginning, 0) == beginning.Length && DatabaseHeader.HasMagic(beginning) ? beginning : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
