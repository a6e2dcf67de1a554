namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The name of a table, column, index or collation. To SQLite a name is bytes, and the case of ASCII letters does not
/// count: <c>t</c> is <c>T</c>, but <c>ä</c> is not <c>Ä</c>. This type compares in the same way. As text it is the form
/// that people see and type, where a byte that is not UTF-8 is <c>\xHH</c> (docs/FORMAT.md).
/// </summary>
public readonly struct SqliteName : IEquatable<SqliteName>
{
    /// <summary>The possible names of a row's number, if no column has that name.</summary>
    internal static readonly IReadOnlyList<SqliteName> RowIdNames = [new("rowid"), new("_rowid_"), new("oid")];

    private readonly string text;
    private readonly string folded;

    private SqliteName(string text)
    {
        this.text = text;
        folded = Fold(text);
    }

    /// <summary>The name as a string of <see cref="SqlText"/>, for a text that is escaped as a whole when it is shown.</summary>
    internal string Text => text;

    /// <summary>The quoted name for SQL of <see cref="SqlStatement"/>.</summary>
    internal string Quoted => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The name as a text in such SQL.</summary>
    internal string Literal => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>The name of such a column in a query: SQLite does not accept <c>true</c> and <c>false</c> as names of results.</summary>
    internal SqliteName InQuery => folded is "true" or "false" ? new SqliteName(text + "\u0001") : this;

    /// <summary>Parses a shown name.</summary>
    /// <param name="shown">The name, as <see cref="ToString"/> gives it.</param>
    public static SqliteName Parse(string shown)
    {
        ArgumentNullException.ThrowIfNull(shown);
        return new SqliteName(SqlText.Parse(shown));
    }

    /// <summary>A text with its ASCII letters in lower case, as SQLite folds names.</summary>
    /// <param name="text">A name, or a pattern of names.</param>
    public static string Fold(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return string.Create(text.Length, text, (letters, from) =>
        {
            for (var index = 0; index < letters.Length; index++)
            {
                letters[index] = char.IsAsciiLetterUpper(from[index]) ? (char)(from[index] | 0x20) : from[index];
            }
        });
    }

    /// <summary>Makes a name from a string of <see cref="SqlText"/>. It ends at the first NUL, as SQLite's names do.</summary>
    internal static SqliteName Of(string text) => new(text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var end ? text[..end] : text);

    /// <summary>Whether two names are the same to SQLite.</summary>
    public static bool operator ==(SqliteName left, SqliteName right) => left.Equals(right);

    /// <summary>Whether two names are different to SQLite.</summary>
    public static bool operator !=(SqliteName left, SqliteName right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(SqliteName other) => string.Equals(folded, other.folded, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SqliteName other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(folded);

    /// <summary>Returns the name in its shown form.</summary>
    public override string ToString() => SqlText.Shown(text);
}
