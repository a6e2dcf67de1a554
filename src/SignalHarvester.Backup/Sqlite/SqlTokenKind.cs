namespace SignalHarvester.Backup.Sqlite;

/// <summary>What a token of SQL is.</summary>
internal enum SqlTokenKind
{
    /// <summary>A keyword, or a name without quotes.</summary>
    Word,

    /// <summary>A name in quotes or square brackets; SQLite takes one in double quotes for a text where nothing has that name.</summary>
    QuotedName,

    /// <summary>A text, a blob or a number.</summary>
    Literal,

    /// <summary>An operator, a bracket, a comma.</summary>
    Symbol,
}
