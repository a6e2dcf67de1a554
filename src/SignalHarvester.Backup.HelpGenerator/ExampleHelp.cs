namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>One example.</summary>
/// <param name="Title">Its purpose.</param>
/// <param name="Code">The commands.</param>
/// <param name="Remarks">Their effect; may be empty.</param>
internal sealed record ExampleHelp(string Title, string Code, IReadOnlyList<string> Remarks);
