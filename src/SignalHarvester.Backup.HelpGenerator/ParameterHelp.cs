namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>One parameter, within one parameter set or over all of them.</summary>
/// <param name="Name">The name, without the dash.</param>
/// <param name="Type">The type's name in a user's spelling, without Nullable.</param>
/// <param name="IsSwitch">Whether it takes no value.</param>
/// <param name="Description">The paragraphs of the description.</param>
/// <param name="Values">The allowed values, if they are few; else empty.</param>
/// <param name="DefaultValue">The value if it is not given, as text.</param>
/// <param name="IsMandatory">Whether it must be given.</param>
/// <param name="Position">The position, or <c>named</c>.</param>
/// <param name="PipelineInput">Whether and how it binds from the pipeline, in the words of Get-Help.</param>
/// <param name="AcceptsWildcards">Whether wildcards have a meaning.</param>
/// <param name="Aliases">Other names.</param>
internal sealed record ParameterHelp(
    string Name,
    string Type,
    bool IsSwitch,
    IReadOnlyList<string> Description,
    IReadOnlyList<string> Values,
    string DefaultValue,
    bool IsMandatory,
    string Position,
    string PipelineInput,
    bool AcceptsWildcards,
    IReadOnlyList<string> Aliases);
