using System.Collections.ObjectModel;

namespace SignalHarvester.Backup;

/// <summary>A map whose text is that of its entries, as Export-Csv writes it.</summary>
/// <typeparam name="T">The type of the values.</typeparam>
public sealed class ValueDictionary<T> : ReadOnlyDictionary<string, T>
{
    /// <summary>Makes the map.</summary>
    internal ValueDictionary(IDictionary<string, T> values)
        : base(values)
    {
    }

    /// <summary>The entries on one line.</summary>
    public override string ToString() => ReadableValues.Of(this);
}
