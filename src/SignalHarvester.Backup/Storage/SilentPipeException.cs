namespace SignalHarvester.Backup.Storage;

/// <summary>A pipe was named instead of a file, and it delivered nothing.</summary>
/// <param name="path">The path.</param>
/// <param name="reason">What was observed.</param>
internal sealed class SilentPipeException(string path, string reason)
    : IOException($"'{path}' is a pipe, and {reason}. Start its writer, or give a file.");
