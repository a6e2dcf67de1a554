namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>A type that can be piped to a cmdlet.</summary>
/// <param name="Type">The type's full name.</param>
/// <param name="Parameter">The parameter that accepts it.</param>
internal sealed record InputHelp(string Type, string Parameter);
