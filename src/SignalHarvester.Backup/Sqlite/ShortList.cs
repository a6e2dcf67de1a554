using System.Globalization;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>Shortens a list that may have tens of thousands of items: the first items, and the number of further ones.</summary>
internal static class ShortList
{
    private const int MostNamed = 10;

    /// <summary>Returns the list as text, for a sentence.</summary>
    public static string Of<T>(IReadOnlyCollection<T> items, string separator = ", ") => string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Join(separator, items.Take(MostNamed))}{(items.Count > MostNamed ? $" and {items.Count - MostNamed} more" : string.Empty)}");

    /// <summary>Returns at most this many items; if there are more, the last one says how many.</summary>
    public static IEnumerable<string> Ending(IReadOnlyCollection<string> items, int most) => items.Count <= most
        ? items
        : items.Take(most).Append(string.Create(CultureInfo.InvariantCulture, $"{items.Count - most} more of the kind"));
}
