using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Text;

/// <summary>Writes texts into PowerShell commands.</summary>
internal static class PowerShellText
{
    // The quotes that PowerShell knows, and what a scheduler or a shell around the command reads a meaning into.
    private const string Meaningful = "'\u2018\u2019\u201a\u201b\"\u201c\u201d\u201e`$%";

    /// <summary>
    /// A text as a PowerShell expression on one line. Characters that mean something to anybody on the way are written by
    /// their numbers, so that the schedulers' own quoting never meets them.
    /// </summary>
    public static string Literal(string text)
    {
        if (!text.EnumerateRunes().Any(IsEscaped))
        {
            return $"'{text}'";
        }

        var literal = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsEscaped(rune))
            {
                literal.Append(CultureInfo.InvariantCulture, $"`u{{{rune.Value:x}}}");
            }
            else
            {
                literal.Append(rune.ToString());
            }
        }

        return literal.Append('"').ToString();
    }

    private static bool IsEscaped(Rune rune) => SingleLine.IsInvisible(rune) || (rune.IsBmp && Meaningful.Contains((char)rune.Value, StringComparison.Ordinal));
}
