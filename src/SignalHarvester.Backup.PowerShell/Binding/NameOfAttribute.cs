using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Takes names: texts, and objects of kinds whose text is their name. PowerShell would make a text of anything, and a row of
/// Import-Csv that is "@{Id=...}" names nothing, or everything that fits it as a wildcard. What is refused here from the
/// pipeline is bound by its property of the parameter's name, or is an error.
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

    // Null and empty are left to the validation, which says so.
    private bool IsName(object? item) => PipelineObject.Bare(item) is not { } bare
        || bare is string or decimal
        || bare.GetType().IsPrimitive
        || Array.Exists(kinds, kind => PipelineObject.Is(item, kind));
}
