namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>One way to call a cmdlet.</summary>
/// <param name="Name">The parameter set's name.</param>
/// <param name="Syntax">The whole line of Get-Command -Syntax, without the common parameters.</param>
/// <param name="Parameters">The parameters with their properties in this set, in the order of the syntax.</param>
internal sealed record ParameterSetHelp(string Name, string Syntax, IReadOnlyList<ParameterHelp> Parameters);
