using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// SQL and its results in strings that lose nothing. To SQLite texts are bytes, and not all of them are UTF-8. A byte that
/// belongs to no character is a single low surrogate in the string, U+DC80 to U+DCFF (as in Python's surrogateescape), and
/// is shown as <c>\xHH</c>.
/// </summary>
internal static partial class SqlText
{
    private const char Carrier = '\uDC00';

    /// <summary>Returns the string for SQLite's bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var isCharacter = Rune.DecodeFromUtf8(bytes, out var character, out var length) == OperationStatus.Done;
            if (isCharacter)
            {
                _ = text.Append(character.ToString());
            }

            for (var index = 0; index < length && !isCharacter; index++)
            {
                _ = text.Append((char)(Carrier + bytes[index]));
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>Returns a text of a result's row in the shown form.</summary>
    public static string OfColumn(sqlite3_stmt row, int column)
    {
        // Asked for as text first: from then on it is UTF-8, whatever the database's encoding is.
        _ = raw.sqlite3_column_text(row, column);
        var bytes = raw.sqlite3_column_blob(row, column);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Shown(Of(bytes));
    }

    /// <summary>Returns SQLite's bytes for a string.</summary>
    public static byte[] Bytes(string text)
    {
        var bytes = new ArrayBufferWriter<byte>(text.Length + (text.Length / 2) + 1);
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var isCharacter = Rune.DecodeFromUtf16(rest, out var character, out var length) == OperationStatus.Done;
            if (isCharacter || !IsCarried(rest[0]))
            {
                bytes.Advance(character.EncodeToUtf8(bytes.GetSpan(4)));
            }
            else
            {
                bytes.Write([(byte)(rest[0] - Carrier)]);
            }

            rest = rest[length..];
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Returns the form for files and messages: a byte that belongs to no character becomes <c>\xHH</c>, and a backslash that
    /// would look like one becomes <c>\x5C</c>, so that <see cref="Parse"/> returns the same string again.
    /// </summary>
    public static string Shown(string text) => Special().Replace(text, match => match.Value == "\\"
        ? @"\x5C"
        : string.Create(CultureInfo.InvariantCulture, $@"\x{match.Value[0] - Carrier:X2}"));

    /// <summary>Parses a text in the shown form.</summary>
    public static string Parse(string shown) => Of(Bytes(Escape().Replace(
        shown, match => int.Parse(match.ValueSpan[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is var value && value < 0x80
            ? @"\"
            : ((char)(Carrier + value)).ToString())));

    /// <summary>Parses a user's SQL, whose quoted names are in the shown form.</summary>
    public static string ParseNames(string sql) => Token().Replace(sql, match => match.Groups["name"].Success ? Parse(match.Value) : match.Value);

    private static bool IsCarried(char character) => character is >= '\uDC80' and <= '\uDCFF';

    // A low surrogate after a high one is half of a character.
    [GeneratedRegex(@"(?<![\uD800-\uDBFF])[\uDC80-\uDCFF]|\\(?=x(5[Cc]|[89A-Fa-f][0-9A-Fa-f]))", RegexOptions.ExplicitCapture)]
    private static partial Regex Special();

    [GeneratedRegex(@"\\x(5[Cc]|[89A-Fa-f][0-9A-Fa-f])", RegexOptions.ExplicitCapture)]
    private static partial Regex Escape();

    [GeneratedRegex(
        """'(''|[^'])*'|--[^\n]*|/\*.*?(\*/|\z)|(?<name>"(""|[^"])*"|`(``|[^`])*`|\[[^\]]*\])""", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex Token();
}
