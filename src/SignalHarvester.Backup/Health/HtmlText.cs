using System.Net;
using System.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>Makes outside text safe for a page: names and messages can be anything, including markup and reversed letters.</summary>
internal static class HtmlText
{
    /// <summary>Returns a text that is only text, in content or in a quoted attribute.</summary>
    public static string Of(string? text)
    {
        var clean = new StringBuilder();
        foreach (var rune in (text ?? string.Empty).EnumerateRunes())
        {
            // Characters that a page must not hold, or that reverse the direction of everything after them.
            clean.Append(
                Rune.IsControl(rune) || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) || (rune.Value & 0xFFFE) == 0xFFFE
                    ? "\uFFFD"
                    : rune.ToString());
        }

        return WebUtility.HtmlEncode(clean.ToString());
    }

    /// <summary>Returns the same, isolated from its surroundings if it is written from right to left.</summary>
    public static string Isolated(string? text) => $"<bdi>{Of(text)}</bdi>";
}
