using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>A column of a primary key, and the order that its values are in.</summary>
/// <param name="Name">The column.</param>
/// <param name="Type">Its declared type, which decides how SQLite converts what is compared with it.</param>
/// <param name="Collation">The collation that texts are compared by.</param>
internal readonly record struct KeyColumn(SqliteName Name, SqliteName Type, SqliteName Collation)
{
    /// <summary>Whether the order is the application's own.</summary>
    public bool IsForeign => !SqliteCollations.Has(Collation);
}
