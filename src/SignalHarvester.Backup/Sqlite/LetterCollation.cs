using System.Text;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The order that an application's own <c>NOCASE</c> probably has. SQLite's folds only ASCII letters, and the manuals of
/// Microsoft, Python and others show how to replace it by one that folds all letters.
/// </summary>
internal static class LetterCollation
{
    /// <summary>Its name in SQL.</summary>
    public const string Name = "shbackup_letters";

    /// <summary>Registers it on a connection.</summary>
    public static void Provide(SqliteConnection connection) => connection.CreateCollation(Name, Compare);

    /// <summary>Compares by code points, in UTF-8's order, so that folding is the only difference from SQLite's own.</summary>
    private static int Compare(string left, string right)
    {
        var (one, other) = (left.EnumerateRunes(), right.EnumerateRunes());
        while (true)
        {
            var (hasOne, hasOther) = (one.MoveNext(), other.MoveNext());
            if (!hasOne || !hasOther)
            {
                return hasOne.CompareTo(hasOther);
            }

            if (Rune.ToLowerInvariant(one.Current).CompareTo(Rune.ToLowerInvariant(other.Current)) is var order and not 0)
            {
                return order;
            }
        }
    }
}
