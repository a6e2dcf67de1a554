using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// A token of SQL by the rules of SQLite's tokenizer, https://sqlite.org/draft/tokenreq.html ; space and comments are not tokens.
/// </summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Text">The token; for a quoted name, the name without quotes.</param>
internal readonly partial record struct SqlToken(SqlTokenKind Kind, string Text)
{
    /// <summary>
    /// Returns the tokens of a text of <see cref="SqlText"/>, up to its first NUL or semicolon. SQLite reads no further in the text of
    /// a table or an index.
    /// </summary>
    public static List<SqlToken> Of(string sql)
    {
        var tokens = new List<SqlToken>();
        foreach (Match match in Pattern().Matches(sql.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var end ? sql[..end] : sql))
        {
            if (match.ValueSpan is ";")
            {
                break;
            }

            if (match.Groups["word"].Success)
            {
                tokens.Add(new SqlToken(SqlTokenKind.Word, match.Value));
            }
            else if (match.Groups["quoted"].Success)
            {
                var quote = match.Value[^1].ToString();
                tokens.Add(new SqlToken(
                    SqlTokenKind.QuotedName, quote == "]" ? match.Value[1..^1] : match.Value[1..^1].Replace(quote + quote, quote, StringComparison.Ordinal)));
            }
            else if (match.Groups["literal"].Success)
            {
                tokens.Add(new SqlToken(SqlTokenKind.Literal, match.Value));
            }
            else if (match.Groups["symbol"].Success)
            {
                tokens.Add(new SqlToken(SqlTokenKind.Symbol, match.Value));
            }
        }

        return tokens;
    }

    /// <summary>Splits tokens at the commas that are outside of brackets.</summary>
    public static List<List<SqlToken>> Split(IEnumerable<SqlToken> tokens)
    {
        List<List<SqlToken>> parts = [[]];
        var depth = 0;
        foreach (var token in tokens)
        {
            depth += token.IsSymbol("(") ? 1 : token.IsSymbol(")") ? -1 : 0;
            if (depth == 0 && token.IsSymbol(","))
            {
                parts.Add([]);
            }
            else
            {
                parts[^1].Add(token);
            }
        }

        return parts;
    }

    /// <summary>Returns the index of the bracket that closes the one at a place; the end if none does.</summary>
    public static int Closing(IReadOnlyList<SqlToken> tokens, int opening)
    {
        var depth = 0;
        for (var place = opening; place < tokens.Count; place++)
        {
            depth += tokens[place].IsSymbol("(") ? 1 : tokens[place].IsSymbol(")") ? -1 : 0;
            if (depth == 0)
            {
                return place;
            }
        }

        return tokens.Count;
    }

    /// <summary>Whether it is a given word of SQL, written without quotes.</summary>
    public bool IsWord(string word) => Kind == SqlTokenKind.Word && SqliteName.Fold(Text) == word;

    /// <summary>Whether it is a given operator or bracket.</summary>
    public bool IsSymbol(string symbol) => Kind == SqlTokenKind.Symbol && Text == symbol;

    [GeneratedRegex(
        @"--[^\n]*|/\*.*?(\*/|\z)"
        + @"|(?<literal>[xX]?'([^']|'')*'|0[xX][0-9A-Fa-f]+|([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][+-]?[0-9]+)?)"
        + @"|(?<quoted>""([^""]|"""")*""|`([^`]|``)*`|\[[^\]]*\])"
        + @"|(?<word>[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_$\u0080-\uFFFF]*)"
        + @"|(?<symbol>->>|->|\|\||<>|<=|>=|<<|>>|==|!=|[^\s])",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
