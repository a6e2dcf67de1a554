using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Host.Tests;

/// <summary>What a person sees in the end of what was written to a terminal: text, and the cursor movements that progress takes.</summary>
internal static partial class Screen
{
    /// <summary>The lines that are left, without the empty ones at the end. Any other sequence of a terminal stays as text.</summary>
    public static string[] Show(string written)
    {
        written = Modes().Replace(written, string.Empty);
        List<StringBuilder> lines = [new()];
        int row = 0;
        int column = 0;
        for (int at = 0; at < written.Length; at++)
        {
            switch (written[at])
            {
                case '\r':
                    column = 0;
                    break;
                case '\n':
                    row++;
                    if (row == lines.Count)
                    {
                        lines.Add(new());
                    }

                    break;
                case '\x1b' when written.AsSpan(at).StartsWith("\x1b[J"):
                    lines[row].Length = Math.Min(lines[row].Length, column);
                    lines.RemoveRange(row + 1, lines.Count - row - 1);
                    at += 2;
                    break;
                case '\x1b' when written.IndexOf('A', at) is var end and > 0 && int.TryParse(written.AsSpan(at + 2, end - at - 2), CultureInfo.InvariantCulture, out int up):
                    row -= up;
                    at = end;
                    break;
                default:
                    lines[row].Length = Math.Max(lines[row].Length, column);
                    lines[row].Remove(column, Math.Min(1, lines[row].Length - column)).Insert(column, written[at]);
                    column++;
                    break;
            }
        }

        return [.. lines.Select(line => line.ToString()).Reverse().SkipWhile(line => line.Length == 0).Reverse()];
    }

    // What .NET tells a terminal of keys, which shows nothing.
    [GeneratedRegex(@"\x1b(\[\?\d+[hl]|[=>])")]
    private static partial Regex Modes();
}
