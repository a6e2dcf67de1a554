using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// Tells whether a database file was written to since, by anybody. A write sets the time; through mapped memory only the first one to a page does.
/// </summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file there.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Written">When it was last written to, in ticks of 100 ns, UTC.</param>
internal sealed record FileMark(long Device, long Inode, long Length, long Written)
{
    /// <summary>Marks a file without opening it; null if there is none.</summary>
    public static FileMark? Of(string path) => FileStatus.Of(path) is { } status ? Of(status) : null;

    /// <summary>Marks a file by its status.</summary>
    public static FileMark Of(FileStatus status) => new(status.Identity.Device, status.Identity.Inode, status.Length, status.Written);
}
