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
        var read = sql.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var end ? sql.AsSpan(0, end) : sql;

        // Groups would cost a hundred times the memory of the tokens, so a token's kind is read from its beginning.
        foreach (var match in Pattern().EnumerateMatches(read))
        {
            var token = read.Slice(match.Index, match.Length);
            if (token is ";")
            {
                break;
            }

            if (!token.StartsWith("--", StringComparison.Ordinal) && !token.StartsWith("/*", StringComparison.Ordinal))
            {
                tokens.Add(Read(token));
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

    private static SqlToken Read(ReadOnlySpan<char> token)
    {
        var text = token.ToString();
        return (token[0], token.Length) switch
        {
            ('[', > 1) => new SqlToken(SqlTokenKind.QuotedName, text[1..^1]),
            ('"' or '`', > 1) => new SqlToken(
                SqlTokenKind.QuotedName, text[1..^1].Replace(new string(token[0], 2), token[..1].ToString(), StringComparison.Ordinal)),
            ('\'' or '.', > 1) or ( >= '0' and <= '9', _) => new SqlToken(SqlTokenKind.Literal, text),
            _ when token[^1] == '\'' && token.Length > 1 => new SqlToken(SqlTokenKind.Literal, text),
            ( >= '\u0080' or '_' or (>= 'A' and <= 'Z') or (>= 'a' and <= 'z'), _) => new SqlToken(SqlTokenKind.Word, text),
            _ => new SqlToken(SqlTokenKind.Symbol, text),
        };
    }

    [GeneratedRegex(
        @"--[^\n]*|/\*.*?(\*/|\z)"
        + @"|([xX]?'([^']|'')*'|0[xX][0-9A-Fa-f]+|([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][+-]?[0-9]+)?)"
        + @"|(""([^""]|"""")*""|`([^`]|``)*`|\[[^\]]*\])"
        + @"|([A-Za-z_\u0080-\uFFFF][A-Za-z0-9_$\u0080-\uFFFF]*)"
        + @"|(->>|->|\|\||<>|<=|>=|<<|>>|==|!=|[^\s])",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
