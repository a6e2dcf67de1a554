using System.Collections.ObjectModel;

namespace SignalHarvester.Backup;

/// <summary>
/// A list whose text is that of its values. The text of an array is the name of its type, and Export-Csv writes that text. PowerShell
/// indexes it from both ends, as an array.
/// </summary>
/// <typeparam name="T">The type of the values.</typeparam>
public sealed class ValueCollection<T> : ReadOnlyCollection<T>
{
    /// <summary>Makes the list.</summary>
    internal ValueCollection(IEnumerable<T> values)
        : base([.. values])
    {
    }

    /// <summary>No values. It is one object, so that two records that have none are equal.</summary>
    internal static ValueCollection<T> None { get; } = new([]);

    /// <summary>The number of values, as an array has it.</summary>
    public int Length => Count;

    /// <summary>The values on one line.</summary>
    public override string ToString() => ReadableValues.Of(this);
}
