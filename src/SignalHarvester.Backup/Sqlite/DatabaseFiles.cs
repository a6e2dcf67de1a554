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
    public static bool IsDatabase(string path) => SqliteDescriptors.LookWhileClosed(path, () => HasMagic(path), ifOpen: true);

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

    private static bool HasMagic(string path)
    {
        try
        {
            using var file = RegularFile.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> beginning = stackalloc byte[DatabaseHeader.Size];
            return file.ReadFully(beginning, 0) == beginning.Length && DatabaseHeader.HasMagic(beginning);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
