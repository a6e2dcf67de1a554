using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>
/// The database of all measurements: one table of signals such as Signal Harvester keeps, with JSON text, a random blob, floats,
/// dates and two indexes, in WAL mode. The same size has the same rows on every machine.
/// </summary>
internal static class BenchDatabase
{
    /// <summary>Bytes in a page.</summary>
    public const int PageSize = 4096;

    /// <summary>Part of the file's name: raise it whenever the rows change.</summary>
    private const int Version = 1;

    /// <summary>This many rows fill a MiB of file and a little more, indexes included.</summary>
    private const int RowsPerMebibyte = 1405;

    private static readonly string[] Kinds = ["rss", "api", "mail", "web", "push"];
    private static readonly DateTime FirstDay = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Returns the path of the database of a size, whether it exists or not.</summary>
    public static string PathOf(Workspace workspace, int sizeMebibytes) =>
        Path.Combine(workspace.Work, $"signals-{sizeMebibytes}m-v{Version}.db");

    /// <summary>Returns the number of pages for a percentage.</summary>
    public static int PagesOf(string path, int percent) => (int)(new FileInfo(path).Length / PageSize * percent / 100);

    /// <summary>Makes the database, unless it exists and is intact.</summary>
    public static void Ensure(string path, int sizeMebibytes)
    {
        var record = path + ".sha256";
        if (File.Exists(path) && File.Exists(record))
        {
            if (Workspace.HashOf(path) == File.ReadAllText(record))
            {
                return;
            }

            Console.Error.WriteLine($"{path} is not as it was made; making it anew.");
        }

        Console.Error.WriteLine($"Making {path} ...");
        foreach (var old in new[] { path, path + "-wal", path + "-shm", record })
        {
            File.Delete(old);
        }

        Generate(path, sizeMebibytes * RowsPerMebibyte);
        File.WriteAllText(record, Workspace.HashOf(path));
    }

    /// <summary>Makes a database of 40 tables with 5 indexes each and some rows of words and numbers, unless it is there.</summary>
    public static void EnsureManyIndexes(string path, int sizeMebibytes)
    {
        const int Tables = 40;

        // With its entries in the indexes, a row takes some 430 bytes.
        var rows = (sizeMebibytes << 20) / 430 / Tables;
        if (File.Exists(path))
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var unfinished = path + ".new";
        File.Delete(unfinished);
        using (var connection = Open(unfinished))
        {
            Execute(connection, $"PRAGMA page_size = {PageSize}; PRAGMA journal_mode = off; PRAGMA synchronous = off;");
            for (var table = 0; table < Tables; table++)
            {
                Execute(connection, $"""
                    CREATE TABLE t{table}(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, state TEXT, amount REAL, ref BLOB, made_at TEXT);
                    WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < {rows})
                    INSERT INTO t{table} SELECT n, printf('Customer %08d of %d', n * 2654435761 % 4294967296, n % 97),
                        iif(n % 7, 'settled', 'open'), n * 1.37, CAST(printf('%016x', n * 40503) AS BLOB), datetime(1700000000 + n * 97 % 31536000, 'unixepoch')
                        FROM row;
                    CREATE INDEX t{table}_name ON t{table}(name);
                    CREATE UNIQUE INDEX t{table}_ref ON t{table}(ref);
                    CREATE INDEX t{table}_made_at ON t{table}(made_at DESC, state);
                    CREATE INDEX t{table}_open ON t{table}(amount) WHERE state = 'open';
                    CREATE INDEX t{table}_length ON t{table}(length(name), made_at);
                    """);
            }
        }

        File.Move(unfinished, path);
    }

    /// <summary>Adds a table of zeros to the database until it has a size: real pages that take no time to make.</summary>
    public static void Grow(string path, int sizeMebibytes)
    {
        const int Piece = 1 << 20;
        var pieces = ((long)sizeMebibytes << 20) / Piece - new FileInfo(path).Length / Piece;
        using var connection = Open(path);
        Execute(connection, $"""
            PRAGMA journal_mode = off;
            PRAGMA synchronous = off;
            CREATE TABLE ballast(content BLOB);
            WITH RECURSIVE piece(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM piece WHERE n < {pieces})
            INSERT INTO ballast SELECT zeroblob({Piece}) FROM piece;
            PRAGMA journal_mode = wal;
            """);
    }

    /// <summary>Opens a connection that closes the file when it is disposed.</summary>
    public static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        command.ExecuteNonQuery();
    }

    private static void Generate(string path, int rows)
    {
        using var connection = Open(path);
        Execute(connection, $"""
            PRAGMA page_size = {PageSize};
            PRAGMA journal_mode = off;
            PRAGMA synchronous = off;
            CREATE TABLE signals(id INTEGER PRIMARY KEY, source TEXT, kind TEXT, score REAL, payload TEXT, digest BLOB, created_at TEXT);
            BEGIN;
            """);
        Insert(connection, rows);
        Execute(connection, """
            COMMIT;
            CREATE INDEX ix_signals_source ON signals(source, created_at);
            CREATE INDEX ix_signals_created_at ON signals(created_at);
            PRAGMA journal_mode = wal;
            """);
    }

    private static void Insert(SqliteConnection connection, int rows)
    {
        using var insert = connection.CreateCommand();
        insert.CommandText =
            "INSERT INTO signals(source, kind, score, payload, digest, created_at) VALUES ($source, $kind, $score, $payload, $digest, $created)";
        var source = insert.Parameters.Add("$source", SqliteType.Text);
        var kind = insert.Parameters.Add("$kind", SqliteType.Text);
        var score = insert.Parameters.Add("$score", SqliteType.Real);
        var payload = insert.Parameters.Add("$payload", SqliteType.Text);
        var digest = insert.Parameters.Add("$digest", SqliteType.Blob);
        var created = insert.Parameters.Add("$created", SqliteType.Text);
        insert.Prepare();

        var random = new SplitMix64(seed: 20261122);
        string[] words = [.. Enumerable.Range(0, 4000).Select(_ => Word(random))];
        var blob = new byte[32];
        var text = new StringBuilder();
        for (var row = 0; row < rows; row++)
        {
            random.Fill(blob);
            source.Value = words[random.Below(200)];
            kind.Value = Kinds[random.Below(Kinds.Length)];
            score.Value = random.NextDouble();
            payload.Value = Payload(text, random, words);
            digest.Value = blob;
            created.Value = FirstDay.AddSeconds(random.Below(365 * 86400)).ToString("s", CultureInfo.InvariantCulture);
            insert.ExecuteNonQuery();
        }
    }

    private static string Payload(StringBuilder text, SplitMix64 random, string[] words)
    {
        text.Clear();
        Append(text.Append("{\"title\": \""), random, words, count: 12, " ");
        text.Append("\", \"url\": \"https://example.org/").Append(words[random.Below(words.Length)]).Append('/')
            .Append(random.Below(1 << 30));
        Append(text.Append("\", \"tags\": [\""), random, words, count: 3, "\", \"");
        Append(text.Append("\"], \"body\": \""), random, words, count: 40, " ");
        text.Append("\", \"v\": ").Append(CultureInfo.InvariantCulture, $"{random.NextDouble():R}").Append('}');
        return text.ToString();
    }

    private static void Append(StringBuilder text, SplitMix64 random, string[] words, int count, string separator)
    {
        for (var i = 0; i < count; i++)
        {
            text.Append(i == 0 ? "" : separator).Append(words[random.Below(words.Length)]);
        }
    }

    private static string Word(SplitMix64 random) =>
        random.Next().ToString("x16", CultureInfo.InvariantCulture)[..(3 + random.Below(8))];
}
