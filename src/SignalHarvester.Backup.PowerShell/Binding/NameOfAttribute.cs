using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Accepts names: texts, and objects whose text is their name. PowerShell would make a text of anything, and a row of
/// Import-Csv as "@{Id=...}" names nothing, or as a wildcard everything that matches it. A refused pipeline object is bound by
/// its property with the parameter's name, or is an error.
/// </summary>
/// <param name="kinds">The types of such objects.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NameOfAttribute(params Type[] kinds) : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        PipelineObject.RequireEach(inputData, IsName, typeName => $"An object of type {typeName} is not a name or a text.");
        return inputData;
    }

    // The validation reports null and empty values.
    private bool IsName(object? item) => PipelineObject.Bare(item) is not { } bare
        || bare is string or decimal
        || bare.GetType().IsPrimitive
        || Array.Exists(kinds, kind => PipelineObject.Is(item, kind));
}
