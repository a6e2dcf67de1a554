using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// The database of the writer: accounts whose balances always add up to the same total, and a journal of all transfers. The journal
/// determines each account's row, to its last byte.
/// </summary>
public static class Ledger
{
    /// <summary>The first balance of each account.</summary>
    public const long InitialBalance = 1000;

    /// <summary>Opens the database as the writer does, and makes missing tables.</summary>
    public static SqliteConnection Open(WriterOptions options)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = options.DatabasePath,
            Pooling = false,
        }.ToString());
        connection.Open();
        Execute(connection, string.Create(CultureInfo.InvariantCulture, $"""
            PRAGMA busy_timeout = 120000;
            PRAGMA page_size = {options.PageSize};
            PRAGMA journal_mode = {options.JournalMode};
            PRAGMA synchronous = {options.Synchronous};
            PRAGMA wal_autocheckpoint = {options.WalAutoCheckpoint};
            """));
        return connection;
    }

    /// <summary>Makes missing tables and accounts, all in one transaction.</summary>
    public static void EnsureCreated(SqliteConnection connection, WriterOptions options)
    {
        Execute(connection, "BEGIN IMMEDIATE");
        if (Number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'ledger'") == 0)
        {
            Execute(connection, """
                CREATE TABLE ledger(accounts INTEGER, row_bytes INTEGER);
                CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER, version INTEGER, padding BLOB);
                CREATE TABLE journal(
                  sequence INTEGER PRIMARY KEY, source INTEGER, target INTEGER, amount INTEGER, checksum INTEGER);
                """);
            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO ledger VALUES ($accounts, $bytes)";
            insert.Parameters.AddWithValue("$accounts", options.Accounts);
            insert.Parameters.AddWithValue("$bytes", options.RowBytes);
            insert.ExecuteNonQuery();
            insert.CommandText = "INSERT INTO account VALUES ($id, $balance, 0, $padding)";
            insert.Parameters.AddWithValue("$balance", InitialBalance);
            var id = insert.Parameters.Add("$id", SqliteType.Integer);
            var padding = insert.Parameters.Add("$padding", SqliteType.Blob);
            for (var account = 0; account < options.Accounts; account++)
            {
                id.Value = account;
                padding.Value = Padding(account, 0, options.RowBytes);
                insert.ExecuteNonQuery();
            }
        }

        Execute(connection, "COMMIT");
    }

    /// <summary>Returns the padding of an account after a commit that touched it last: bytes that nothing else has.</summary>
    public static byte[] Padding(int account, long version, int rowBytes)
    {
        var state = ((ulong)account << 40) ^ ((ulong)version * 0x9E3779B97F4A7C15) ^ 0xD1B54A32D192ED03;
        var padding = new byte[rowBytes - (int)(state % (ulong)(rowBytes / 2 + 1))];
        Span<byte> word = stackalloc byte[8];
        for (var i = 0; i < padding.Length; i += 8)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            BinaryPrimitives.WriteUInt64LittleEndian(word, state);
            word[..Math.Min(8, padding.Length - i)].CopyTo(padding.AsSpan(i));
        }

        return padding;
    }

    internal static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    internal static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
