using System.Collections;
using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Binding;

/// <summary>Examines an object that somebody passes, by itself or in a list.</summary>
internal static class PipelineObject
{
    /// <summary>Returns the object without PowerShell's wrapper.</summary>
    public static object? Bare(object? item) => item is PSObject wrapped ? wrapped.BaseObject : item;

    /// <summary>Whether an object is of a type, or a property bag that a job, a remote session or Import-Clixml made of one.</summary>
    public static bool Is(object? item, Type type) => item is not null
        && (type.IsInstanceOfType(Bare(item)) || PSObject.AsPSObject(item).TypeNames.Contains("Deserialized." + type.FullName, StringComparer.Ordinal));

    /// <summary>Refuses unwanted objects in a way that lets PowerShell look for another parameter to which the object can be bound.</summary>
    /// <param name="input">The object, or a list of objects.</param>
    /// <param name="isWanted">Whether an object is wanted.</param>
    /// <param name="reason">Returns the message for an unwanted one, from the name of its type.</param>
    /// <exception cref="ArgumentTransformationMetadataException">An object is unwanted.</exception>
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
