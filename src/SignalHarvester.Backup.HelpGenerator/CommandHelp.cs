namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>The help of one cmdlet, whatever form it is written in.</summary>
/// <param name="Name">Verb and noun.</param>
/// <param name="Synopsis">One sentence.</param>
/// <param name="Description">The paragraphs of the description.</param>
/// <param name="ParameterSets">The ways to call it, the default one first.</param>
/// <param name="Parameters">All parameters but the common ones, by name.</param>
/// <param name="Examples">The examples, in the order of the source.</param>
/// <param name="Inputs">What can be piped in.</param>
/// <param name="Outputs">The full names of the types that come out.</param>
/// <param name="Links">Where to read on.</param>
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
