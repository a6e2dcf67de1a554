namespace SignalHarvester.Backup.Storage;

/// <summary>Something else, such as a link or a pipe, has the name of a file or folder of ours. It was neither followed nor waited for.</summary>
/// <param name="path">The path.</param>
internal sealed class NotAFileException(string path)
    : IOException($"'{path}' is a link, a pipe, a device or the like instead of the expected file, so it is not opened. Move it away.")
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}
