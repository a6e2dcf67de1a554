using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Text;

/// <summary>Writes texts into PowerShell commands.</summary>
internal static class PowerShellText
{
    // The quotes that PowerShell knows, and the characters that a scheduler, or a shell around the command, interprets.
    private const string Meaningful = "'\u2018\u2019\u201a\u201b\"\u201c\u201d\u201e`$%";

    /// <summary>
    /// Returns a text as a PowerShell expression on one line. Characters that PowerShell, a shell or a scheduler interprets are
    /// written by their numbers, so the text never depends on the schedulers' own quoting.
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
