namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>The help of one cmdlet, independent of the output's form.</summary>
/// <param name="Name">Verb and noun.</param>
/// <param name="Synopsis">One sentence.</param>
/// <param name="Description">The paragraphs of the description.</param>
/// <param name="ParameterSets">The ways to call it, the default one first.</param>
/// <param name="Parameters">All parameters except the common ones, by name.</param>
/// <param name="Examples">The examples, in the order of the source.</param>
/// <param name="Inputs">The possible pipeline input.</param>
/// <param name="Outputs">The full names of the emitted types.</param>
/// <param name="Links">Links to further reading.</param>
internal sealed record CommandHelp(
    string Name,
    string Synopsis,
    IReadOnlyList<string> Description,
    IReadOnlyList<ParameterSetHelp> ParameterSets,
    IReadOnlyList<ParameterHelp> Parameters,
    IReadOnlyList<ExampleHelp> Examples,
    IReadOnlyList<InputHelp> Inputs,
    IReadOnlyList<string> Outputs,
    IReadOnlyList<LinkHelp> Links);
