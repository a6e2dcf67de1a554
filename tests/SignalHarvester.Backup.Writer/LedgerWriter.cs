using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>A connection that commits one transfer after another.</summary>
internal sealed class LedgerWriter : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly CommitJournal commits;
    private readonly int accounts;
    private readonly int rowBytes;
    private readonly Random choice = new();
    private readonly SqliteCommand begin;
    private readonly SqliteCommand last;
    private readonly SqliteCommand update;
    private readonly SqliteCommand insert;
    private readonly SqliteCommand commit;

    public LedgerWriter(WriterOptions options, CommitJournal commits)
    {
        connection = Ledger.Open(options);
        this.commits = commits;
        accounts = (int)Ledger.Number(connection, "SELECT accounts FROM ledger");
        rowBytes = (int)Ledger.Number(connection, "SELECT row_bytes FROM ledger");
        begin = Command("BEGIN IMMEDIATE");
        last = Command("SELECT sequence, checksum FROM journal ORDER BY sequence DESC LIMIT 1");
        update = Command(
            "UPDATE account SET balance = balance + $amount, version = $sequence, padding = $padding WHERE id = $id",
            "$amount", "$sequence", "$padding", "$id");
        insert = Command(
            "INSERT INTO journal VALUES ($sequence, $source, $target, $amount, $checksum)",
            "$sequence", "$source", "$target", "$amount", "$checksum");
        commit = Command("COMMIT");
    }

    /// <summary>The duration of each commit from its request for the write lock, in <see cref="Stopwatch"/> ticks.</summary>
    public List<long> Latencies { get; } = [];

    /// <summary>Commits one transfer.</summary>
    public void Commit()
    {
        var start = Stopwatch.GetTimestamp();
        begin.ExecuteNonQuery();
        var transfer = Last().Next(accounts, choice);
        Update(transfer.From, -transfer.Amount, transfer.Sequence);
        Update(transfer.To, transfer.Amount, transfer.Sequence);
        Run(insert, transfer.Sequence, transfer.From, transfer.To, transfer.Amount, transfer.Checksum);
        commits.Write(transfer);
        commit.ExecuteNonQuery();
        Latencies.Add(Stopwatch.GetTimestamp() - start);
    }

    public void Dispose() => connection.Dispose();

    private Transfer Last()
    {
        using var row = last.ExecuteReader();
        return row.Read() ? Transfer.None with { Sequence = row.GetInt64(0), Checksum = row.GetInt64(1) } : Transfer.None;
    }

    private void Update(int account, int amount, long sequence) =>
        Run(update, amount, sequence, Ledger.Padding(account, sequence, rowBytes), account);

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        }

        return command;
    }
}
