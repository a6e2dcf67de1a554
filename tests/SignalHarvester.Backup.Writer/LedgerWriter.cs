using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>One connection that commits one transfer after the other.</summary>
internal sealed class LedgerWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly CommitJournal _commits;
    private readonly int _accounts;
    private readonly int _rowBytes;
    private readonly Random _choice = new();
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _last;
    private readonly SqliteCommand _update;
    private readonly SqliteCommand _insert;
    private readonly SqliteCommand _commit;

    public LedgerWriter(WriterOptions options, CommitJournal commits)
    {
        _connection = Ledger.Open(options);
        _commits = commits;
        _accounts = (int)Ledger.Number(_connection, "SELECT accounts FROM ledger");
        _rowBytes = (int)Ledger.Number(_connection, "SELECT row_bytes FROM ledger");
        _begin = Command("BEGIN IMMEDIATE");
        _last = Command("SELECT sequence, checksum FROM journal ORDER BY sequence DESC LIMIT 1");
        _update = Command(
            "UPDATE account SET balance = balance + $amount, version = $sequence, padding = $padding WHERE id = $id",
            "$amount", "$sequence", "$padding", "$id");
        _insert = Command(
            "INSERT INTO journal VALUES ($sequence, $source, $target, $amount, $checksum)",
            "$sequence", "$source", "$target", "$amount", "$checksum");
        _commit = Command("COMMIT");
    }

    /// <summary>How long each commit took from asking for the write lock, in <see cref="Stopwatch"/> ticks.</summary>
    public List<long> Latencies { get; } = [];

    /// <summary>Commits one transfer.</summary>
    public void Commit()
    {
        long start = Stopwatch.GetTimestamp();
        _begin.ExecuteNonQuery();
        Transfer transfer = Last().Next(_accounts, _choice);
        Update(transfer.From, -transfer.Amount, transfer.Sequence);
        Update(transfer.To, transfer.Amount, transfer.Sequence);
        Run(_insert, transfer.Sequence, transfer.From, transfer.To, transfer.Amount, transfer.Checksum);
        _commits.Write(transfer);
        _commit.ExecuteNonQuery();
        Latencies.Add(Stopwatch.GetTimestamp() - start);
    }

    public void Dispose() => _connection.Dispose();

    private Transfer Last()
    {
        using SqliteDataReader row = _last.ExecuteReader();
        return row.Read() ? Transfer.None with { Sequence = row.GetInt64(0), Checksum = row.GetInt64(1) } : Transfer.None;
    }

    private void Update(int account, int amount, long sequence) =>
        Run(_update, amount, sequence, Ledger.Padding(account, sequence, _rowBytes), account);

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<string> parameters)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (string parameter in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        }

        return command;
    }
}
