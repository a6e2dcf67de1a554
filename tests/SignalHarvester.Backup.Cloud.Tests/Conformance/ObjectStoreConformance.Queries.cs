using System.Collections.Concurrent;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.Operations.Rows;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>Backups that are looked into where they are.</summary>
public abstract partial class ObjectStoreConformance
{
    private const string Everything = "SELECT count(*) c, sum(instr(x, x'00') > 0) z FROM big";

    [Fact]
    public async Task A_row_of_a_backup_is_found_and_brought_back_by_reading_a_part_of_it()
    {
        using var store = await OpenAsync();
        using var scene = new QueryScene(store);
        var full = scene.Send(CompressionType.Zstd);
        scene.Change("DELETE FROM small WHERE id = 7; UPDATE small SET name = 'changed' WHERE id = 8");
        var increment = scene.Send(CompressionType.Zstd, BackupStrategy.Incremental);

        Assert.Equal("seven", scene.Ask(full, "SELECT name FROM small WHERE id = 7"));
        Assert.InRange(scene.BytesRead, 1, full.Size / 2);
        Assert.Equal("0", scene.Ask(increment, "SELECT count(*) FROM small WHERE id = 7"));
        Assert.Equal("changed", scene.Ask(increment, "SELECT name FROM small WHERE id = 8"));
        Assert.InRange(scene.BytesRead, 1, full.Size / 2);
        Assert.Equal(scene.Ask(full, Everything), scene.Ask(increment, Everything));

        Assert.Equal(1, Assert.Single(scene.BringBack(full, "small", "id = 7")).Inserted);
        Assert.InRange(scene.BytesRead, 1, full.Size / 2);
        Assert.Empty(scene.Warnings);
    }

    [Fact]
    public async Task While_rows_come_out_of_a_store_the_application_writes()
    {
        using var store = await OpenAsync();
        Func<int>? write = null;
        var results = new ConcurrentQueue<int>();
        using var scene = new QueryScene(store, () =>
        {
            if (write is not null)
            {
                results.Enqueue(write());
            }

            return Task.CompletedTask;
        });
        var backup = scene.Send(CompressionType.Zstd);
        scene.Change("CREATE TABLE log(x); DELETE FROM big WHERE rowid % 2 = 0");

        // A read for which the transaction waits would wait for its end here. One that is merely ahead of it does no harm.
        write = () => scene.TryToWrite("INSERT INTO log VALUES (1)");

        Assert.Equal(2500, Assert.Single(scene.BringBack(backup, "big", "1")).Inserted);

        Assert.True(results.Count > 3);
        Assert.All(results, result => Assert.Equal(SQLitePCL.raw.SQLITE_OK, result));
    }

    [Fact]
    public async Task Two_states_are_compared_where_they_are()
    {
        using var store = await OpenAsync();
        using var scene = new QueryScene(store);
        var full = scene.Send(CompressionType.Zstd);
        scene.Change("DELETE FROM small WHERE id = 7");
        var increment = scene.Send(CompressionType.Zstd, BackupStrategy.Incremental);
        var found = new List<BackupDifference>();

        CompareBackups.Run(scene.Source(full), scene.Source(increment), null, false, name => name.Text == "small", found.Add, scene.Context);

        Assert.Equal(1, Assert.Single(found).RowsRemoved);
        Assert.InRange(scene.BytesRead, 1, full.Size);
    }

    [Fact]
    public async Task A_backup_without_a_table_of_its_frames_is_fetched_first_and_that_is_said()
    {
        using var store = await OpenAsync();
        using var scene = new QueryScene(store);
        var backup = scene.Send(CompressionType.Gzip);

        Assert.Equal("seven", scene.Ask(backup, "SELECT name FROM small WHERE id = 7"));

        Assert.InRange(scene.BytesRead, backup.Size, 2 * backup.Size);
        Assert.Contains("is fetched first", Assert.Single(scene.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_that_changes_while_it_is_read_is_an_error_and_no_answer()
    {
        using var store = await OpenAsync();
        var reads = 0;
        string? name = null;
        using var scene = new QueryScene(store, async () =>
        {
            if (name is not null && Interlocked.Increment(ref reads) == 6)
            {
                await store.DeleteAsync(name, Stop);
                var other = new byte[1000];
                await store.PutAsync(name, other, ContentHash.Attributes(other, ObjectAttributes.BackupType, store.Checksums), null, Stop);
            }
        });
        var backup = scene.Send(CompressionType.Zstd);
        name = Path.GetFileName(backup.BackupPath);

        var error = Assert.Throws<BackupException>(() => scene.Ask(backup, Everything));

        Assert.True(error.ErrorId is BackupErrorId.CloudObjectChanged or BackupErrorId.CloudObjectNotFound, error.ToString());
    }

    /// <summary>A database of which a small table is asked for, its backups in a store, and another machine that asks.</summary>
    private sealed class QueryScene : IDisposable
    {
        private readonly TempFolder folder = new();
        private readonly ConcurrentQueue<string> warnings = [];
        private readonly BackupDirectory directory;
        private readonly BackupDirectory other;
        private readonly IObjectStore store;
        private readonly Func<Task> beforeRead;
        private readonly List<WatchedStore> watched = [];

        public QueryScene(IObjectStore store, Func<Task>? beforeRead = null)
        {
            this.store = store;
            this.beforeRead = beforeRead ?? (() => Task.CompletedTask);
            directory = new BackupDirectory(folder["backups"], TimeProvider.System);
            other = new BackupDirectory(folder["other"], TimeProvider.System);
            using var connection = Databases.Open(folder["app.db"]);
            Databases.Execute(
                connection,
                "CREATE TABLE small(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO small VALUES (7, 'seven'), (8, 'eight'); CREATE TABLE big(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO big SELECT randomblob(3000) FROM n");
        }

        public OperationContext Context => new(
            TimeProvider.System,
            told =>
            {
                if (told is OperationMessage { IsWarning: true } message)
                {
                    warnings.Enqueue(message.Text);
                }
            },
            Stop);

        /// <summary>What the last question has read.</summary>
        public long BytesRead => watched[^1].BytesRead;

        public IEnumerable<string> Warnings => warnings;

        public BackupMetadata Send(CompressionType compression, BackupStrategy strategy = BackupStrategy.Full)
        {
            var backup = CreateBackup.Run(
                folder["app.db"], directory, new CreateBackupOptions { Compression = compression, Strategy = strategy, Verify = false }, Context);
            using var catalog = new StoreCatalog(new WatchedStore(store), TimeProvider.System);
            SendBackup.Run(backup, directory, catalog, Context);
            return backup;
        }

        public void Change(string sql)
        {
            using var connection = Databases.Open(folder["app.db"]);
            Databases.Execute(connection, sql);
        }

        /// <summary>Runs a statement, and waits for a lock only for a while. Returns SQLite's result.</summary>
        public int TryToWrite(string sql)
        {
            using var connection = Databases.Open(folder["app.db"]);
            SQLitePCL.raw.sqlite3_busy_timeout(connection.Handle, 5000);
            return SQLitePCL.raw.sqlite3_exec(connection.Handle, sql);
        }

        public string Ask(BackupMetadata backup, string sql)
        {
            var rows = new List<string>();
            QueryBackup.Run(
                Source(backup),
                new QueryOptions { Sql = sql },
                row =>
                {
                    rows.Add(string.Join(' ', row.Values));
                    return true;
                },
                Context);
            return Assert.Single(rows);
        }

        public IReadOnlyList<RestoredRows> BringBack(BackupMetadata backup, string table, string where) => RestoreRows.Run(
            Source(backup), new RestoreRowsOptions { Into = folder["app.db"], Tables = [table], Where = where }, Context);

        public BackupSource Source(BackupMetadata backup)
        {
            watched.Add(new WatchedStore(store) { BeforeRead = _ => beforeRead() });
            return new BackupSource(backup, BackupCatalog.Of(new StoreCatalog(watched[^1], TimeProvider.System), other));
        }

        public void Dispose() => folder.Dispose();
    }
}
