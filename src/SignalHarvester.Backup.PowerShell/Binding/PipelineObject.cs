using System.Collections;
using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>What an object is that somebody passes, as it is or in a list.</summary>
internal static class PipelineObject
{
    /// <summary>The object without the engine's wrapper.</summary>
    public static object? Bare(object? item) => item is PSObject wrapped ? wrapped.BaseObject : item;

    /// <summary>Whether an object is of a type, or the property bag that a job, a remote session or Import-Clixml left of one.</summary>
    public static bool Is(object? item, Type type) => item is not null
        && (type.IsInstanceOfType(Bare(item)) || PSObject.AsPSObject(item).TypeNames.Contains("Deserialized." + type.FullName, StringComparer.Ordinal));

    /// <summary>Refuses what is not wanted, in the way that lets the engine look for another parameter that the object could be bound to.</summary>
    /// <param name="input">The object, or a list of objects.</param>
    /// <param name="isWanted">Whether one is wanted.</param>
    /// <param name="reason">What to say of one that is not, from the name of its type.</param>
    /// <exception cref="ArgumentTransformationMetadataException">One is not wanted.</exception>
    public static void RequireEach(object? input, Func<object?, bool> isWanted, Func<string, string> reason)
    {
        var list = Bare(input) is IDictionary ? null : LanguagePrimitives.GetEnumerable(input);
        foreach (var item in list ?? new[] { input })
        {
            if (!isWanted(item))
            {
                var sentence = reason(PSObject.AsPSObject(item!).TypeNames[0]);
                throw new ArgumentTransformationMetadataException(sentence, new PSInvalidCastException(sentence));
            }
        }
    }
}
