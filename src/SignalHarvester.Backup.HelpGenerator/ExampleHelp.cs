namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>One example.</summary>
/// <param name="Title">What it is for.</param>
/// <param name="Code">The commands.</param>
/// <param name="Remarks">What they do; may be empty.</param>
internal sealed record ExampleHelp(string Title, string Code, IReadOnlyList<string> Remarks);
