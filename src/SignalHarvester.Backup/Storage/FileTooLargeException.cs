namespace SignalHarvester.Backup.Storage;

/// <summary>A file that would be read whole is larger than any file of its kind can be.</summary>
/// <param name="path">The path.</param>
internal sealed class FileTooLargeException(string path) : IOException($"'{path}' is too large for a file of its kind.");
