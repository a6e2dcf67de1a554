namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The name of a table, column, index or collation. To SQLite a name is bytes, and two are the same however their ASCII
/// letters are written: <c>t</c> is <c>T</c>, and <c>ä</c> is not <c>Ä</c>. So it is here. As text it is what people see and
/// type, where a byte that is not UTF-8 is <c>\xHH</c> (docs/FORMAT.md).
/// </summary>
public readonly struct SqliteName : IEquatable<SqliteName>
{
    /// <summary>What the number of a row may be called, where no column is called so.</summary>
    internal static readonly IReadOnlyList<SqliteName> RowIdNames = [new("rowid"), new("_rowid_"), new("oid")];

    private readonly string text;
    private readonly string folded;

    private SqliteName(string text)
    {
        this.text = text;
        folded = Fold(text);
    }

    /// <summary>The name as a string of <see cref="SqlText"/>, for a text that is shown as a whole.</summary>
    internal string Text => text;

    /// <summary>The name as it stands in SQL that <see cref="SqlStatement"/> takes, whatever is in it.</summary>
    internal string Quoted => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The name as a text in such SQL.</summary>
    internal string Literal => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>The name that such a column has as one of a query: SQLite takes no <c>true</c> and <c>false</c> for the name of a result.</summary>
    internal SqliteName InQuery => folded is "true" or "false" ? new SqliteName(text + "\u0001") : this;

    /// <summary>The name that is written like this.</summary>
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

    /// <summary>The name that SQLite has, from a string of <see cref="SqlText"/>. It ends at the first NUL, as SQLite's names do.</summary>
    internal static SqliteName Of(string text) => new(text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var end ? text[..end] : text);

    /// <summary>Whether two names are the same to SQLite.</summary>
    public static bool operator ==(SqliteName left, SqliteName right) => left.Equals(right);

    /// <summary>Whether two names are different ones to SQLite.</summary>
    public static bool operator !=(SqliteName left, SqliteName right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(SqliteName other) => string.Equals(folded, other.folded, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SqliteName other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(folded);

    /// <summary>The name as it is shown.</summary>
    public override string ToString() => SqlText.Shown(text);
}
