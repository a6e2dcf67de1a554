using System.Collections;
using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>Lists and maps that read as their values, and the text of values.</summary>
internal static class ReadableValues
{
    /// <summary>Returns a list with a text of its own.</summary>
    public static IReadOnlyList<T> List<T>(IReadOnlyList<T> values) =>
        values as ValueCollection<T> ?? (values.Count == 0 ? ValueCollection<T>.None : new ValueCollection<T>(values));

    /// <summary>Returns a map with a text of its own; null for null.</summary>
    public static IReadOnlyDictionary<string, T>? Map<T>(IReadOnlyDictionary<string, T>? values) => values switch
    {
        null or ValueDictionary<T> => values,
        IDictionary<string, T> map => new ValueDictionary<T>(map),
        _ => new ValueDictionary<T>(values.ToDictionary(StringComparer.Ordinal)),
    };

    /// <summary>Returns the text of a value, whatever the culture of the machine is.</summary>
    public static string Of(object? value) => value switch
    {
        null => string.Empty,
        string text => text,
        IDictionary map => string.Join("; ", Entries(map)),
        IEnumerable list => string.Join("; ", list.Cast<object?>().Select(Inner)),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };

    private static IEnumerable<string> Entries(IDictionary map)
    {
        // Not through LINQ, for which a map may have entries of another type.
        foreach (DictionaryEntry entry in map)
        {
            yield return $"{entry.Key}={Inner(entry.Value)}";
        }
    }

    private static string Inner(object? value) => value is IEnumerable and not string ? $"({Of(value)})" : Of(value);
}
