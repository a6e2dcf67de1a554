using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// A statement whose text and results may hold names that are not valid UTF-8; the provider's own commands would replace
/// those (<see cref="SqlText"/>). It waits for locks no longer than the connection's busy timeout.
/// </summary>
internal sealed class SqlStatement : IDisposable
{
    private readonly sqlite3 database;
    private readonly sqlite3_stmt statement;

    private SqlStatement(sqlite3 database, sqlite3_stmt statement)
    {
        this.database = database;
        this.statement = statement;
    }

    /// <summary>Prepares a statement.</summary>
    /// <exception cref="SqliteException">SQLite refuses it.</exception>
    public static SqlStatement Prepare(SqliteConnection connection, string sql)
    {
        var database = connection.Handle!;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(database, SqlText.Bytes(sql), out var statement), database);
        return new SqlStatement(database, statement);
    }

    /// <summary>Runs a statement to its end.</summary>
    /// <returns>The number of changed rows, if it changes rows.</returns>
    public static long Run(SqliteConnection connection, string sql)
    {
        using var statement = Prepare(connection, sql);
        while (statement.Step())
        {
        }

        return raw.sqlite3_changes(connection.Handle);
    }

    /// <summary>Runs a statement and returns its first value as a number.</summary>
    public static long Number(SqliteConnection connection, string sql)
    {
        using var statement = Prepare(connection, sql);
        _ = statement.Step();
        return statement.Number(0);
    }

    /// <summary>Runs a statement and returns what it reads from each row.</summary>
    public static List<T> List<T>(SqliteConnection connection, string sql, Func<SqlStatement, T> read)
    {
        using var statement = Prepare(connection, sql);
        var values = new List<T>();
        while (statement.Step())
        {
            values.Add(read(statement));
        }

        return values;
    }

    /// <summary>Moves to the next row; returns false after the last one.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(statement);
        SqliteException.ThrowExceptionForRC(code, database);
        return code == raw.SQLITE_ROW;
    }

    /// <summary>Returns a value of this row as text; empty for NULL.</summary>
    public string Text(int column)
    {
        // Asked for as text first: from then on it is UTF-8, whatever the database's encoding is.
        _ = raw.sqlite3_column_text(statement, column);
        return SqlText.Of(raw.sqlite3_column_blob(statement, column));
    }

    /// <summary>Returns a value of this row as a name.</summary>
    public SqliteName Name(int column) => SqliteName.Of(Text(column));

    /// <summary>Returns a value of this row as a number.</summary>
    public long Number(int column) => raw.sqlite3_column_int64(statement, column);

    /// <inheritdoc/>
    public void Dispose() => statement.Dispose();
}
