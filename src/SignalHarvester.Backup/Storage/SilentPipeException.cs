namespace SignalHarvester.Backup.Storage;

/// <summary>A pipe was named in the place of a file, and nothing came out of it.</summary>
/// <param name="path">The path.</param>
/// <param name="reason">What was seen.</param>
internal sealed class SilentPipeException(string path, string reason)
    : IOException($"'{path}' is a pipe, and {reason}. Start its writer, or give a file.");
