using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Takes a value that comes as a property of a pipeline's object, and refuses it where it makes no sense. PowerShell would pass
/// over it without a word, and the object would then be one of another place. An empty one is none.
/// </summary>
/// <param name="type">What it becomes.</param>
/// <param name="advice">What to do where it is something else.</param>
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
