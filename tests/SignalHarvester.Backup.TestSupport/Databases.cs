using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// Generated SQLite databases. The same shape always has the same rows. Every connection made here is unpooled, so that a closed
/// one has released its files.
/// </summary>
public static class Databases
{
    private const long LockByteOffset = 0x40000000;
    private const int BigPageSize = 65536;
    private const uint LockPage = (uint)(LockByteOffset / BigPageSize) + 1;

    /// <summary>The shapes that are worth a run each, by names for theories.</summary>
    public static IReadOnlyDictionary<string, DatabaseShape> Shapes { get; } = AllShapes();

    /// <summary>Makes a database of tables with all that SQLite offers, and closes it.</summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string Create(string path, DatabaseShape? shape = null)
    {
        shape ??= new DatabaseShape();
        using var connection = Open(path);
        Prepare(connection, shape);
        Execute(connection, Schema);
        AddRows(connection, shape.Rows);
        return path;
    }

    /// <summary>Makes a valid database without any table: one page.</summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string CreateEmpty(string path, DatabaseShape? shape = null)
    {
        using var connection = Open(path);
        Prepare(connection, shape ?? new DatabaseShape());
        Execute(connection, "CREATE TABLE t(x); DROP TABLE t; VACUUM;");
        return path;
    }

    /// <summary>
    /// Makes a WAL database whose last commits are only in the <c>-wal</c>. They stay there while the returned connection is open.
    /// </summary>
    public static SqliteConnection CreateWithLiveWal(string path, DatabaseShape? shape = null)
    {
        shape = (shape ?? new DatabaseShape()) with { JournalMode = JournalMode.Wal };
        Create(path, shape);
        var connection = Open(path);
        Execute(connection, "PRAGMA wal_autocheckpoint = 0");
        AddRows(connection, Math.Max(shape.Rows / 10, 1));
        Execute(connection, "DELETE FROM attachment WHERE id % 3 = 0");
        return connection;
    }

    /// <summary>
    /// Makes a WAL database whose last commits are in a <c>-wal</c> that no process has open, as after a crash.
    /// </summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string CreateWithLeftWal(string path, DatabaseShape? shape = null)
    {
        var made = path + ".making";
        using (CreateWithLiveWal(made, shape))
        {
            File.Copy(made, path);
            File.Copy(made + "-wal", path + "-wal");
        }

        File.Delete(made);
        return path;
    }

    /// <summary>
    /// Makes a valid database of more than 1 GiB, with rows before and behind the lock-byte page, in a sparse file that
    /// takes a few MiB of disk if the file system allows it, in well under a second.
    /// </summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string CreateOverLockPage(string path, JournalMode journalMode = JournalMode.Wal) =>
        GrowOverLockPage(CreateBelowLockPage(path, journalMode));

    /// <summary>Makes such a database that ends just before the lock-byte page.</summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string CreateBelowLockPage(string path, JournalMode journalMode = JournalMode.Wal)
    {
        Create(path, new DatabaseShape { PageSize = BigPageSize, JournalMode = JournalMode.Delete });

        // SQLite believes the page count in the header. The pages up to there become free ones: SQLite never looks at the content of pages
        // that a trunk lists.
        var firstHole = (uint)(new FileInfo(path).Length / BigPageSize) + 1;
        using (var file = File.Open(path, FileMode.Open))
        {
            file.SetLength(LockByteOffset);
            Put(file, 28, LockPage - 1);
            PutFreeList(file, BigPageSize, firstHole, LockPage - 1);
        }

        using var connection = Open(path);
        Execute(connection, $"PRAGMA journal_mode = {journalMode}");
        return path;
    }

    /// <summary>Adds rows behind the lock-byte page to a database that <see cref="CreateBelowLockPage"/> made and nobody has open.</summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string GrowOverLockPage(string path)
    {
        // Without a free page, the next row goes to the end.
        var freeList = new byte[8];
        using (var file = File.Open(path, FileMode.Open))
        {
            file.Position = 32;
            file.ReadExactly(freeList);
            file.Position = 32;
            file.Write(new byte[8]);
        }

        using (var connection = Open(path))
        {
            AddRows(connection, 4000);
        }

        using (var file = File.Open(path, FileMode.Open))
        {
            file.Position = 32;
            file.Write(freeList);
        }

        return path;
    }

    /// <summary>Opens a database as an application would; makes it if there is none.</summary>
    public static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
        }.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Runs statements that return no rows.</summary>
    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Returns the first value of the first row, as SQLite's text; empty for NULL.</summary>
    public static string Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>Adds rows to every table of a database that <see cref="Create"/> made, in one transaction.</summary>
    public static void AddRows(SqliteConnection connection, int rows)
    {
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.CommandText = Rows;
        command.Parameters.AddWithValue("$rows", rows);
        command.ExecuteNonQuery();
        transaction.Commit();
    }

    private static Dictionary<string, DatabaseShape> AllShapes()
    {
        var shapes = new Dictionary<string, DatabaseShape>();
        foreach (var pageSize in new[] { 512, 1024, 4096, 16384, 65536 })
        {
            foreach (var mode in Enum.GetValues<JournalMode>())
            {
                shapes.Add(
                    string.Create(CultureInfo.InvariantCulture, $"{mode} {pageSize}"),
                    new DatabaseShape { PageSize = pageSize, JournalMode = mode });
            }
        }

        shapes.Add("auto_vacuum full", new DatabaseShape { AutoVacuum = AutoVacuum.Full });
        shapes.Add("auto_vacuum incremental", new DatabaseShape { AutoVacuum = AutoVacuum.Incremental });
        shapes.Add("UTF-16", new DatabaseShape { Encoding = "UTF-16le", JournalMode = JournalMode.Delete });
        return shapes;
    }

    private static void Prepare(SqliteConnection connection, DatabaseShape shape) =>
        Execute(connection, string.Create(CultureInfo.InvariantCulture, $"""
            PRAGMA page_size = {shape.PageSize};
            PRAGMA encoding = '{shape.Encoding}';
            PRAGMA auto_vacuum = {(int)shape.AutoVacuum};
            PRAGMA synchronous = OFF;
            PRAGMA journal_mode = {shape.JournalMode};
            """));

    private static void PutFreeList(FileStream file, int pageSize, uint first, uint last)
    {
        // Six entries of a trunk stay unused: a habit of SQLite since versions before 3.6.0.
        var perTrunk = pageSize / 4 - 8;
        var trunk = new byte[pageSize];
        Put(file, 32, first);
        Put(file, 36, last - first + 1);
        var page = first;
        while (page <= last)
        {
            var leaves = Math.Min((uint)perTrunk, last - page);
            var next = page + leaves + 1;
            Array.Clear(trunk);
            BinaryPrimitives.WriteUInt32BigEndian(trunk, next <= last ? next : 0);
            BinaryPrimitives.WriteUInt32BigEndian(trunk.AsSpan(4), leaves);
            for (uint leaf = 1; leaf <= leaves; leaf++)
            {
                BinaryPrimitives.WriteUInt32BigEndian(trunk.AsSpan((int)(4 + leaf * 4)), page + leaf);
            }

            file.Position = (page - 1) * (long)pageSize;
            file.Write(trunk);
            page = next;
        }
    }

    private static void Put(FileStream file, int offset, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        file.Position = offset;
        file.Write(bytes);
    }

    private const string Schema = """
        CREATE TABLE customer(
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL,
          domain TEXT NOT NULL DEFAULT 'example.org',
          email TEXT GENERATED ALWAYS AS (lower(name) || '@' || domain) VIRTUAL,
          name_length INTEGER GENERATED ALWAYS AS (length(name)) STORED);
        CREATE UNIQUE INDEX customer_email ON customer(email);
        CREATE INDEX customer_long_name ON customer(name) WHERE name_length > 12;
        CREATE TABLE reading(sensor TEXT, at INTEGER, value REAL, PRIMARY KEY(sensor, at)) WITHOUT ROWID;
        CREATE TABLE attachment(
          id INTEGER PRIMARY KEY,
          customer_id INTEGER REFERENCES customer(id),
          content BLOB);
        CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT);
        CREATE VIRTUAL TABLE note USING fts5(title, body);
        CREATE TRIGGER customer_added AFTER INSERT ON customer BEGIN
          INSERT INTO audit(what) VALUES ('added ' || new.name);
        END;
        CREATE VIEW busy_customer AS
          SELECT c.id, c.email, count(*) AS attachments
          FROM customer c JOIN attachment a ON a.customer_id = c.id GROUP BY c.id;
        CREATE TABLE "odd ""name"" [漢]"("a b" TEXT, "select" INTEGER) STRICT;
        """;

    // The blob of a row depends only on its id: length 0 to 9 KiB, so that some overflow on every page size up to 8192.
    private const string Rows = """
        INSERT INTO customer(name)
          WITH RECURSIVE n(i) AS (SELECT (SELECT count(*) FROM customer) + 1 WHERE $rows > 0
            UNION ALL SELECT i + 1 FROM n LIMIT $rows)
          SELECT 'Zoë 漢 ' || i FROM n;
        INSERT INTO reading
          WITH RECURSIVE n(i) AS (SELECT (SELECT count(*) FROM reading) + 1 WHERE $rows > 0
            UNION ALL SELECT i + 1 FROM n LIMIT $rows)
          SELECT 'sensor ' || i % 7, i * 60, i * 0.25 FROM n;
        INSERT INTO attachment(customer_id, content)
          WITH RECURSIVE n(i) AS (SELECT (SELECT coalesce(max(id), 0) FROM attachment) + 1 WHERE $rows >= 20
            UNION ALL SELECT i + 1 FROM n LIMIT $rows / 20)
          SELECT i, CAST(substr(replace(hex(zeroblob(150)), '0', printf('%08x', i * 2654435761 % 4294967296)),
              1, i * 389 % 2400) || zeroblob(i * 997 % 7000) AS BLOB) FROM n;
        INSERT INTO note(title, body)
          WITH RECURSIVE n(i) AS (SELECT (SELECT count(*) FROM note) + 1 WHERE $rows > 0
            UNION ALL SELECT i + 1 FROM n LIMIT $rows / 5)
          SELECT 'note ' || i, 'the quick brown fox jumps over ' || i || ' lazy dogs' FROM n;
        INSERT INTO "odd ""name"" [漢]" SELECT 'x', $rows WHERE $rows > 0;
        """;
}
