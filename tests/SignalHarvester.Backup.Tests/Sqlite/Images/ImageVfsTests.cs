using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Images;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite.Images;

/// <summary>SQLite reads an image through functions of ours. Whatever happens in them, the process lives, and the reason is told.</summary>
public sealed class ImageVfsTests : IDisposable
{
    private readonly TempFolder files = new();
    private readonly byte[] image;

    public ImageVfsTests() =>
        image = File.ReadAllBytes(Databases.Create(files["app.db"], new DatabaseShape { Rows = 2000, PageSize = 1024, JournalMode = JournalMode.Wal }));

    public void Dispose() => files.Dispose();

    [Fact]
    public void The_rows_are_those_of_the_file()
    {
        using var mounted = new MountedImage(new PageImage(image));
        using var connection = SqliteConnections.OpenUri(mounted.Uri, TestContext.Current.CancellationToken);
        using var file = SqliteConnections.OpenImmutable(files["app.db"], TestContext.Current.CancellationToken);

        Assert.Equal("ok", Assert.Single(SqliteConnections.Strings(connection, "PRAGMA integrity_check")));
        Assert.Equal(
            SqliteConnections.Strings(file, "SELECT quote(id) || quote(name) FROM customer ORDER BY random() * 0, name"),
            SqliteConnections.Strings(connection, "SELECT quote(id) || quote(name) FROM customer ORDER BY random() * 0, name"));
    }

    [Fact]
    public void What_is_thrown_below_SQLite_is_an_input_error_to_it_and_the_reason_is_kept()
    {
        foreach (var thrown in new Exception[]
        {
            new InvalidDataException("one"), new OperationCanceledException("two"), new InvalidOperationException("three"),
        })
        {
            using var mounted = new MountedImage(new PageImage(image, page => page > 3 ? thrown : null));
            using var connection = SqliteConnections.OpenUri(mounted.Uri, TestContext.Current.CancellationToken);

            var failed = Assert.Throws<SqliteException>(() => SqliteConnections.ScalarInt64(connection, "SELECT count(*) FROM customer NOT INDEXED"));

            Assert.Equal(SQLitePCL.raw.SQLITE_IOERR, failed.SqliteErrorCode);
            Assert.Same(thrown, mounted.Failure);
        }
    }

    [Fact]
    public void Nothing_can_be_written()
    {
        using var mounted = new MountedImage(new PageImage(image));
        using var connection = SqliteConnections.OpenUri(mounted.Uri, TestContext.Current.CancellationToken);

        Assert.All(
            new[] { "DELETE FROM customer", "CREATE TABLE x(y)", "PRAGMA user_version = 7", "VACUUM", "UPDATE customer SET name = 'x'" },
            sql => Assert.Throws<SqliteException>(() => SqliteConnections.Execute(connection, sql)));
        Assert.Null(mounted.Failure);
    }

    [Fact]
    public void A_large_sort_uses_temporary_files()
    {
        using var mounted = new MountedImage(new PageImage(image));
        using var connection = SqliteConnections.OpenUri(mounted.Uri, TestContext.Current.CancellationToken);
        SqliteConnections.Execute(connection, "PRAGMA temp_store = FILE; PRAGMA cache_size = 10");

        Assert.Equal(
            1_000_000L,
            SqliteConnections.ScalarInt64(
                connection,
                "SELECT count(*) FROM (SELECT a.id, b.name FROM customer a, customer b WHERE b.id <= 500 ORDER BY b.name || a.id)"));
    }

    [Fact]
    public void A_name_that_is_not_mounted_is_no_database()
    {
        string uri;
        using (var mounted = new MountedImage(new PageImage(image)))
        {
            uri = mounted.Uri;
        }

        var failed = Assert.Throws<SqliteException>(() => SqliteConnections.OpenUri(uri, TestContext.Current.CancellationToken));
        Assert.Equal(SQLitePCL.raw.SQLITE_CANTOPEN, failed.SqliteErrorCode);
    }

    [Fact]
    public void Many_connections_of_many_threads_live_through_collections()
    {
        // A collection that moves whatever it can, while SQLite waits for a page and other connections are being opened and closed.
        static Exception? Collect(long page)
        {
            if (page % 150 == 0)
            {
                GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            }

            return null;
        }

        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            for (var round = 0; round < 10; round++)
            {
                using var mounted = new MountedImage(new PageImage([.. image], Collect));
                using var connection = SqliteConnections.OpenUri(mounted.Uri, TestContext.Current.CancellationToken);
                using var attach = connection.CreateCommand();
                using var second = new MountedImage(new PageImage([.. image], Collect));
                attach.CommandText = $"ATTACH '{second.Uri}' AS other";
                attach.ExecuteNonQuery();
                Assert.Equal(
                    2000L,
                    SqliteConnections.ScalarInt64(
                        connection, "SELECT count(*) FROM main.customer a JOIN other.customer b ON a.id = b.id AND a.name IS b.name"));
            }
        });
    }

    [Fact]
    public void A_journal_mode_in_the_header_asks_for_no_log()
    {
        // The header says WAL. A VFS without shared memory could not open a log.
        Assert.Equal((2, 2), (image[18], image[19]));
        using var mounted = new MountedImage(new PageImage(image));
        using var connection = SqliteConnections.OpenUri(mounted.Uri, TestContext.Current.CancellationToken);

        Assert.Equal(2000L, SqliteConnections.ScalarInt64(connection, "SELECT count(*) FROM customer"));
    }

    private sealed class PageImage(byte[] bytes, Func<long, Exception?>? fault = null) : IPageImage
    {
        public int PageSize => 1024;

        public long PageCount => bytes.Length / PageSize;

        public void Read(long page, Span<byte> content)
        {
            if (fault?.Invoke(page) is { } thrown)
            {
                throw thrown;
            }

            bytes.AsSpan((int)((page - 1) * PageSize), PageSize).CopyTo(content);
        }

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
