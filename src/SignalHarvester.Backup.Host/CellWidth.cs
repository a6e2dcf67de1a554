namespace SignalHarvester.Backup.Host;

/// <summary>How many terminal columns text takes; East Asian wide characters take two.</summary>
internal static class CellWidth
{
    private static readonly (char First, char Last)[] Wide =
    [
        ('\u1100', '\u115F'), ('\u2E80', '\uA4CF'), ('\uAC00', '\uD7A3'), ('\uF900', '\uFAFF'),
        ('\uFE10', '\uFE19'), ('\uFE30', '\uFE6F'), ('\uFF01', '\uFF60'), ('\uFFE0', '\uFFE6'),
    ];

    /// <summary>Gets the columns that one UTF-16 unit takes: each half of a surrogate pair counts one.</summary>
    public static int Of(char character) =>
        character >= Wide[0].First && Array.Exists(Wide, range => character >= range.First && character <= range.Last) ? 2 : 1;

    /// <summary>Gets the columns that text without control characters takes.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        int cells = 0;
        foreach (char character in text)
        {
            cells += Of(character);
        }

        return cells;
    }

    /// <summary>Cuts text to at most <paramref name="cells"/> columns.</summary>
    public static string Cut(string text, int cells)
    {
        int used = 0;
        for (int index = 0; index < text.Length; index++)
        {
            used += Of(text[index]);
            if (used > cells)
            {
                return text[..index];
            }
        }

        return text;
    }
}
