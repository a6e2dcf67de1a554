using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Text;

/// <summary>Puts texts on one line, for comments, titles and headers.</summary>
public static class SingleLine
{
    /// <summary>Returns a text on one line: each character that would end the line, or is invisible, becomes a blank.</summary>
    public static string Of(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            line.Append(IsInvisible(rune) ? " " : rune.ToString());
        }

        return line.ToString();
    }

    /// <summary>Whether a character is invisible or does not belong in a text: controls, line ends, direction marks, non-characters.</summary>
    public static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
