using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// A token of SQL, as SQLite's tokenizer has it, https://sqlite.org/draft/tokenreq.html ; space and comments are none.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The token; of a quoted name, the name.</param>
internal readonly partial record struct SqlToken(SqlTokenKind Kind, string Text)
{
    /// <summary>The tokens of a text of <see cref="SqlText"/>.</summary>
    public static List<SqlToken> Of(string sql)
    {
        var tokens = new List<SqlToken>();
        foreach (Match match in Pattern().Matches(sql))
        {
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

    /// <summary>The parts between the commas that stand in no brackets.</summary>
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

    /// <summary>Where the bracket closes that opens at a place; the end where none does.</summary>
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

    /// <summary>Whether it is a word of SQL that is written without quotes.</summary>
    public bool IsWord(string word) => Kind == SqlTokenKind.Word && SqliteName.Fold(Text) == word;

    /// <summary>Whether it is an operator or a bracket.</summary>
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
