using System.Globalization;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>An input or output error reported by SQLite's file layer.</summary>
internal sealed class SqliteIOException(int code, string operation)
    : IOException(string.Create(
        CultureInfo.InvariantCulture, $"SQLite's file layer failed to {operation} (result code {code}{(code == Full ? ", the disk is full" : string.Empty)})."))
{
    // https://sqlite.org/rescode.html#full
    private const int Full = 13;

    /// <summary>SQLite's extended result code.</summary>
    public int Code { get; } = code;
}
