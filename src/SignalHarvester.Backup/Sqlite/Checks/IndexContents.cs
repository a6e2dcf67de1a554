using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The part of integrity_check that quick_check omits: whether each index holds exactly the entries of its table's rows, in order,
/// and whether the rows of tables without rowids are in order.
/// </summary>
/// <remarks>
/// integrity_check looks up each entry of each row, which reads all over the file. This check reads the rows once and each index
/// once, both in the order of their trees, and compares the sums of the hashes of the expected and of the stored entries. A lookup by
/// bisection finds every entry exactly if all entries are there and in order. integrity_check itself checks the tables that cannot be
/// read this way.
/// </remarks>
internal sealed class IndexContents
{
    // Each has a page cache of its own, and a few read as fast as most disks.
    private const int MostConnections = 4;

    private readonly List<TableScan> tables = [];
    private readonly List<SqliteName> others = [];
    private readonly bool isUtf16;
    private int comparedIndexes;

    private IndexContents(bool isUtf16) => this.isUtf16 = isUtf16;

    /// <summary>Describes the whole check, quick_check included, as a phrase.</summary>
    public string Description => "quick_check"
        + (comparedIndexes == 0 ? string.Empty
            : comparedIndexes == 1 ? " with the content of 1 index"
            : string.Create(CultureInfo.InvariantCulture, $" with the contents of {comparedIndexes} indexes"))
        + (others.Count == 0 ? string.Empty : $" and integrity_check of {ShortList.Of([.. others.Select(table => table.Text)])}");

    /// <summary>The tables that integrity_check itself must check.</summary>
    public IReadOnlyList<SqliteName> Others => others;

    /// <summary>Plans the check of a database.</summary>
    /// <exception cref="SqliteException">Its schema cannot be read.</exception>
    public static IndexContents Plan(SqliteConnection connection)
    {
        var contents = new IndexContents(!SqliteConnections.Strings(connection, "PRAGMA encoding")[0].Equals("UTF-8", StringComparison.Ordinal));
        var definitions = TableDefinition.All(connection);
        foreach (var indexes in IndexDefinition.Of(connection, definitions).GroupBy(index => index.Table))
        {
            contents.Add(connection, indexes.Key, [.. indexes]);
        }

        return contents;
    }

    /// <summary>Runs the check.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="options">How to check it.</param>
    /// <param name="first">The first work of the connection itself, while others already begin; false ends the check.</param>
    /// <param name="progress">Shows the progress.</param>
    /// <returns>Whether everything is right. If not, integrity_check can find what is wrong.</returns>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public bool Agree(SqliteConnection connection, IntegrityOptions options, Func<bool> first, CheckProgress progress)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(options.Cancellation);
        var seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        var rows = new ConcurrentDictionary<TableScan, RecordSum[]>();
        var entries = new ConcurrentDictionary<IndexScan, RecordSum>();
        var scans = new ConcurrentQueue<Func<SqliteConnection, IndexEntries, bool>>(Scans());
        var workers = options.OpenAnother is null ? 0 : Math.Min(Math.Min(Environment.ProcessorCount, MostConnections) - 1, scans.Count);
        var running = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(WorkOnAnother)));
        try
        {
            if (first())
            {
                Work(connection, ShowIndexes);
                while (!((IAsyncResult)running).AsyncWaitHandle.WaitOne(200))
                {
                    ShowIndexes();
                }
            }
            else
            {
                stop.Cancel();
            }
        }
        catch
        {
            stop.Cancel();
            throw;
        }
        finally
        {
            ((IAsyncResult)running).AsyncWaitHandle.WaitOne();
        }

        running.GetAwaiter().GetResult();
        progress.ThrowIfFailed();
        options.Cancellation.ThrowIfCancellationRequested();
        return !stop.IsCancellationRequested && tables.TrueForAll(table => table.Indexes.Select(index => entries[index]).SequenceEqual(rows[table]));

        void WorkOnAnother()
        {
            try
            {
                using var own = options.OpenAnother!(stop.Token);
                progress.Watch(own, isOwn: false, stop.Token);
                Work(own, () => { });
            }
            catch (SqliteException)
            {
                // It cannot be opened, for want of memory or descriptors. What this one would have found, integrity_check finds.
                stop.Cancel();
            }
        }

        void Work(SqliteConnection own, Action show)
        {
            if (scans.IsEmpty)
            {
                return;
            }

            try
            {
                using var indexes = new IndexEntries(own);
                while (!stop.IsCancellationRequested && scans.TryDequeue(out var scan))
                {
                    show();
                    if (!scan(own, indexes))
                    {
                        stop.Cancel();
                    }
                }
            }
            catch (SqliteException)
            {
                // Something cannot be read or is unknown here, or another scan has stopped this one.
                stop.Cancel();
            }
        }

        void ShowIndexes() => progress.Begin(string.Create(
            CultureInfo.InvariantCulture, $"index {Math.Min(entries.Count + 1, comparedIndexes)} of {comparedIndexes}"));

        IEnumerable<Func<SqliteConnection, IndexEntries, bool>> Scans()
        {
            foreach (var table in tables)
            {
                yield return (own, _) => table.Run(own, seed, isUtf16) is { } sums && rows.TryAdd(table, sums);
                foreach (var index in table.Indexes)
                {
                    yield return (own, indexes) => index.Run(own, indexes, seed, isUtf16) is { } sum && entries.TryAdd(index, sum);
                }
            }

            foreach (var other in others)
            {
                yield return (own, _) => SqlStatement.List(own, $"PRAGMA integrity_check({other.Quoted})", row => row.Text(0)) is ["ok"];
            }
        }
    }

    private void Add(SqliteConnection connection, TableDefinition table, List<IndexDefinition> indexes)
    {
        try
        {
            if (TableScan.Plan(connection, table, indexes, isUtf16) is { } scan)
            {
                tables.Add(scan);
                comparedIndexes += scan.Indexes.Count();
                return;
            }
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_ERROR)
        {
            // SQLite cannot read the table by that index, or lacks such a function.
        }

        others.Add(table.Name);
    }
}
