using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Text;

/// <summary>A line of a log in logfmt: <c>key=value</c>, with quotes where a value needs them. Collectors read it, and so do people.</summary>
internal sealed class LogLine
{
    private readonly StringBuilder line = new();

    /// <summary>Adds a value.</summary>
    /// <param name="key">Its name: letters and underscores.</param>
    /// <param name="value">The value, any text; null for none, which leaves the key out.</param>
    public LogLine Add(string key, string? value)
    {
        if (value is not null)
        {
            line.Append(line.Length == 0 ? string.Empty : " ").Append(key).Append('=').Append(IsPlain(value) ? value : Quoted(value));
        }

        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => line.ToString();

    private static bool IsPlain(string value) =>
        value.Length > 0
        && value.EnumerateRunes().All(rune => rune.Value is not (' ' or '=' or '"') && rune != Rune.ReplacementChar && !SingleLine.IsInvisible(rune));

    private static string Quoted(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in value.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append(@"\n"),
                '\r' => quoted.Append(@"\r"),
                '\t' => quoted.Append(@"\t"),
                _ when SingleLine.IsInvisible(rune) => Escape(quoted, rune),
                _ => quoted.Append(rune.ToString()),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static StringBuilder Escape(StringBuilder quoted, Rune rune)
    {
        foreach (var unit in rune.ToString())
        {
            quoted.Append(CultureInfo.InvariantCulture, $@"\u{(int)unit:x4}");
        }

        return quoted;
    }
}
