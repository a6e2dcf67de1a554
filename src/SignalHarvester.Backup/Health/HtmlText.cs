using System.Net;
using System.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>Text of others as a page may hold it: names and messages can be anything, markup and turned letters included.</summary>
internal static class HtmlText
{
    /// <summary>A text that stands for itself wherever it is put, in content or in a quoted attribute.</summary>
    public static string Of(string? text)
    {
        var clean = new StringBuilder();
        foreach (var rune in (text ?? string.Empty).EnumerateRunes())
        {
            // What no page may hold, and what turns the direction of all that follows.
            clean.Append(
                Rune.IsControl(rune) || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) || (rune.Value & 0xFFFE) == 0xFFFE
                    ? "\uFFFD"
                    : rune.ToString());
        }

        return WebUtility.HtmlEncode(clean.ToString());
    }

    /// <summary>The same, kept from mixing with what stands around it where it is written from right to left.</summary>
    public static string Isolated(string? text) => $"<bdi>{Of(text)}</bdi>";
}
