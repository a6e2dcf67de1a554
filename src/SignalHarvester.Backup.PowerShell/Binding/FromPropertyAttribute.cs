using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Takes a value from a property of a pipeline's object, and refuses it if it is not valid. PowerShell would silently
/// ignore it, and the object would then seem to be from another place. An empty value counts as missing.
/// </summary>
/// <param name="type">The target type.</param>
/// <param name="advice">The advice if it is something else.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FromPropertyAttribute(Type type, string advice) : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        if (PipelineObject.Bare(inputData) is null or "")
        {
            return null;
        }

        return LanguagePrimitives.TryConvertTo(inputData, type, out var converted)
            ? converted
            : throw new ArgumentTransformationMetadataException($"'{inputData}' is not a {type.Name}. {advice}");
    }
}
