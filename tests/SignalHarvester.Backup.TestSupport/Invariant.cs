using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// Checks whether a copy of the writer's database is exactly the state after one of its commits. Every account's row is compared
/// with the journal in full, so a copy with pages of two moments cannot pass.
/// </summary>
public static class Invariant
{
    /// <summary>Checks a copy against itself and against the writer's own record of its commits.</summary>
    /// <returns>The number of commits in the copy.</returns>
    /// <exception cref="InvariantBrokenException">The copy is torn, damaged, or of another history.</exception>
    public static long Check(string databasePath, string commitJournalPath)
    {
        try
        {
            using var connection = Databases.Open(databasePath);
            var integrity = Databases.Scalar(connection, "PRAGMA integrity_check");
            Require(integrity == "ok", $"integrity_check says: {integrity}");
            var counts = Counts(connection);
            (var balances, var versions, var commits) =
                Replay(connection, commitJournalPath, accounts: (int)counts[0]);
            CheckAccounts(connection, balances, versions, rowBytes: (int)counts[1]);
            return commits;
        }
        catch (SqliteException error)
        {
            throw new InvariantBrokenException($"SQLite refuses the copy: {error.Message}", error);
        }
    }

    private static long[] Counts(SqliteConnection connection)
    {
        using var row = Query(connection, "SELECT accounts, row_bytes FROM ledger");
        Require(row.Read(), "the ledger table is empty.");
        return [row.GetInt64(0), row.GetInt64(1)];
    }

    private static (long[] Balances, long[] Versions, long Commits) Replay(
        SqliteConnection connection, string commitJournalPath, int accounts)
    {
        var balances = new long[accounts];
        var versions = new long[accounts];
        Array.Fill(balances, Ledger.InitialBalance);
        var previous = Transfer.None;
        using var outside = CommitJournal.Read(commitJournalPath, long.MaxValue).GetEnumerator();
        using var row = Query(
            connection, "SELECT sequence, source, target, amount, checksum FROM journal ORDER BY sequence");
        while (row.Read())
        {
            var transfer = new Transfer(
                row.GetInt64(0), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), row.GetInt64(4));
            Require(transfer.Follows(previous), $"{transfer} does not follow {previous}.");
            Require(outside.MoveNext(), $"{transfer} is not in the writer's record, which ends before it.");
            Require(outside.Current == transfer, $"{transfer} is {outside.Current} in the writer's record.");
            balances[transfer.From] -= transfer.Amount;
            balances[transfer.To] += transfer.Amount;
            versions[transfer.From] = versions[transfer.To] = transfer.Sequence;
            previous = transfer;
        }

        return (balances, versions, previous.Sequence);
    }

    private static void CheckAccounts(SqliteConnection connection, long[] balances, long[] versions, int rowBytes)
    {
        long total = 0;
        var account = 0;
        using var row = Query(connection, "SELECT id, balance, version, padding FROM account ORDER BY id");
        for (; row.Read(); account++)
        {
            var id = row.GetInt64(0);
            Require(id == account && account < balances.Length, $"there is an account {id} where {account} should be.");
            var version = row.GetInt64(2);
            Require(
                version == versions[account],
                $"account {account} is as commit {version} left it, where the journal ends after commit {versions[account]}.");
            var balance = row.GetInt64(1);
            Require(balance == balances[account], $"account {account} holds {balance}, not {balances[account]}.");
            Require(
                row.GetFieldValue<byte[]>(3).AsSpan().SequenceEqual(Ledger.Padding(account, version, rowBytes)),
                $"account {account} has other padding than commit {version} gave it.");
            total += balance;
        }

        Require(account == balances.Length, $"there are {account} accounts, not {balances.Length}.");
        Require(total == balances.Length * Ledger.InitialBalance, $"the balances add up to {total}.");
    }

    private static SqliteDataReader Query(SqliteConnection connection, string sql)
    {
        // Not disposed here, because the command takes its reader along.
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteReader();
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvariantBrokenException(otherwise);
        }
    }
}
