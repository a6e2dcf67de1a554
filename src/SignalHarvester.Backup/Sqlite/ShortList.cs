using System.Globalization;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>A short form of a list of maybe tens of thousands: the first items, and the number of further ones.</summary>
internal static class ShortList
{
    private const int MostNamed = 10;

    /// <summary>The list as text, for a sentence.</summary>
    public static string Of<T>(IReadOnlyCollection<T> items, string separator = ", ") => string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Join(separator, items.Take(MostNamed))}{(items.Count > MostNamed ? $" and {items.Count - MostNamed} more" : string.Empty)}");

    /// <summary>The list with its end, where it has more than so many, as one item.</summary>
    public static IEnumerable<string> Ending(IReadOnlyCollection<string> items, int most) => items.Count <= most
        ? items
        : items.Take(most).Append(string.Create(CultureInfo.InvariantCulture, $"{items.Count - most} more of the kind"));
}
