namespace SignalHarvester.Backup.Sqlite;

/// <summary>The kind of a token of SQL.</summary>
internal enum SqlTokenKind
{
    /// <summary>A keyword, or a name without quotes.</summary>
    Word,

    /// <summary>A name in quotes or square brackets. SQLite reads one in double quotes as a text if nothing has that name.</summary>
    QuotedName,

    /// <summary>A text, a blob or a number.</summary>
    Literal,

    /// <summary>An operator, a bracket, a comma.</summary>
    Symbol,
}
