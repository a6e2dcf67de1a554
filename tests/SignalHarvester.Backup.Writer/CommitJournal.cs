using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// The writer's own record of its commits, outside the database. It writes a record while its transaction holds SQLite's write lock,
/// before the commit. So every commit is in the journal, and all records except the last are committed.
/// </summary>
public sealed class CommitJournal : IDisposable
{
    private readonly SafeFileHandle file;

    public CommitJournal(string path) => file = File.OpenHandle(
        path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Returns the number of records in a journal; 0 if there is none.</summary>
    public static long Count(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length / Transfer.Size : 0;
    }

    /// <summary>Returns the first records of a journal; fewer if it has fewer.</summary>
    public static IEnumerable<Transfer> Read(string path, long count)
    {
        using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1 << 16);
        var record = new byte[Transfer.Size];
        for (long i = 0; i < count && file.ReadAtLeast(record, record.Length, throwOnEndOfStream: false) == record.Length; i++)
        {
            yield return Transfer.ReadFrom(record);
        }
    }

    /// <summary>Writes a commit at its place. Records after it belong to a future that a restore undid, and are removed.</summary>
    public void Write(Transfer transfer)
    {
        Span<byte> record = stackalloc byte[Transfer.Size];
        transfer.WriteTo(record);
        var end = transfer.Sequence * Transfer.Size;
        if (RandomAccess.GetLength(file) > end)
        {
            RandomAccess.SetLength(file, end);
        }

        RandomAccess.Write(file, record, end - Transfer.Size);
    }

    public void Dispose() => file.Dispose();
}
