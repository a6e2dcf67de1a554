using System.Text;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The order that an application's own <c>NOCASE</c> is likely to have: SQLite's folds ASCII letters alone, and Microsoft's,
/// Python's and other manuals show how to bring one that folds all.
/// </summary>
internal static class LetterCollation
{
    /// <summary>What it is called in SQL.</summary>
    public const string Name = "shbackup_letters";

    /// <summary>Provides it on a connection.</summary>
    public static void Provide(SqliteConnection connection) => connection.CreateCollation(Name, Compare);

    /// <summary>By code points, as UTF-8 has them, so that what it folds is all that sets it apart from SQLite's.</summary>
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
