namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>One file of a definition.</summary>
/// <param name="Path">Its full path, or words for where the content goes.</param>
/// <param name="Content">What it holds, with line feeds.</param>
internal sealed record TaskFile(string Path, string Content);
