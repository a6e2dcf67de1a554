namespace SignalHarvester.Backup.Storage;

/// <summary>In the place of a file or folder of ours lies something else, such as a link or a pipe, which was neither followed nor waited for.</summary>
/// <param name="path">The path.</param>
internal sealed class NotAFileException(string path)
    : IOException($"'{path}' is a link, a pipe, a device or the like instead of the expected file, so it is not opened. Move it away.")
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}
