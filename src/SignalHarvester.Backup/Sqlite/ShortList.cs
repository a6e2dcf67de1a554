using System.Globalization;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>What may be tens of thousands, as it stands in a sentence: the first of them, and how many more there are.</summary>
internal static class ShortList
{
    private const int MostNamed = 10;

    /// <summary>The list as text.</summary>
    public static string Of<T>(IReadOnlyCollection<T> items, string separator = ", ") => string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Join(separator, items.Take(MostNamed))}{(items.Count > MostNamed ? $" and {items.Count - MostNamed} more" : string.Empty)}");
}
