namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>One file of a definition.</summary>
/// <param name="Path">Its full path, or words that say where the content goes.</param>
/// <param name="Content">Its content, with line feeds.</param>
internal sealed record TaskFile(string Path, string Content);
