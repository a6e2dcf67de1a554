namespace SignalHarvester.Backup.Storage;

/// <summary>A file that is read whole is larger than any of its kind.</summary>
/// <param name="path">The path.</param>
internal sealed class FileTooLargeException(string path) : IOException($"'{path}' is too large for a file of its kind.");
