using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Takes objects of one kind, also deserialised ones, and nothing that PowerShell would make such an object of: the properties
/// of a row of Import-Csv, or a hashtable's keys, would become a backup whose checksums nobody recorded.
/// </summary>
/// <param name="kind">The type of the objects.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class KindAttribute(Type kind) : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        PipelineObject.RequireEach(
            inputData,
            item => item is null || PipelineObject.Is(item, kind),
            typeName => $"An object of type {typeName} is not a {kind.Name}. Pass the output of this module's cmdlets, or ids with -Id.");
        return inputData;
    }
}
