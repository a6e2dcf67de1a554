using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>
/// Accepts objects of one kind, including deserialised ones, and refuses everything that PowerShell would convert to such an
/// object: a row of Import-Csv, or a hashtable, would become a backup without recorded checksums.
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
