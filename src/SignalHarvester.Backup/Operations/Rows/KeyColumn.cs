using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>A column of a primary key, with the order of its values.</summary>
/// <param name="Name">The column.</param>
/// <param name="Type">Its declared type, which decides how SQLite converts a value before a comparison.</param>
/// <param name="Collation">The collation that compares texts.</param>
internal readonly record struct KeyColumn(SqliteName Name, SqliteName Type, SqliteName Collation)
{
    /// <summary>Whether the order is the application's own.</summary>
    public bool IsForeign => !SqliteCollations.Has(Collation);
}
