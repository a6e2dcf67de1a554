using System.Text;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>Writes and deletes the files that schedulers read.</summary>
internal static class TaskFiles
{
    private const int LargestBytes = 1 << 20;

    /// <summary>Whether a file has the expected content. Anything else in its place, or a far too large file, does not.</summary>
    public static bool Holds(string path, string content)
    {
        try
        {
            return Encoding.UTF8.GetString(NamedFile.ReadAllBytes(path, LargestBytes)) == content;
        }
        catch (Exception exception) when (exception is NotAFileException or FileTooLargeException)
        {
            return false;
        }
    }

    /// <summary>Writes a file whole.</summary>
    /// <param name="file">The file.</param>
    /// <param name="mode">Its mode, on systems with modes.</param>
    /// <exception cref="BackupException">WriteFailed, DestinationInvalid, InsufficientSpace.</exception>
    public static void Write(TaskFile file, UnixFileMode mode) => Guarded(file.Path, () =>
    {
        using var place = NamedPlace.Find(file.Path, missing: MissingFolders.Make);
        DurableFile.WriteAllBytes(place.Folder, place.Name, Encoding.UTF8.GetBytes(file.Content), mode);
    });

    /// <summary>Deletes a file, if it is there.</summary>
    /// <exception cref="BackupException">WriteFailed, DestinationInvalid.</exception>
    public static void Delete(string path) => Guarded(path, () =>
    {
        if (File.Exists(path))
        {
            using var place = NamedPlace.Find(path);
            place.Folder.Delete(place.Name);
            place.Folder.Flush();
        }
    });

    private static void Guarded(string path, Action action) => DiskFault.Guard(path, BackupErrorId.WriteFailed, ScheduleStore.WriteAdvice, action);
}
