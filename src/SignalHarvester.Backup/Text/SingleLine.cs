using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Text;

/// <summary>Texts on one line, for comments, titles and headers.</summary>
internal static class SingleLine
{
    /// <summary>A text on one line: what would end the line, or cannot be seen, becomes a blank.</summary>
    public static string Of(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            line.Append(IsInvisible(rune) ? " " : rune.ToString());
        }

        return line.ToString();
    }

    /// <summary>Whether a character has no shape of its own, or no place in a text: controls, line ends, marks of direction, non-characters.</summary>
    public static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
