using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using SQLitePCL;
using Xunit;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>
/// A database, the connections of its users, and its backups, each with the database's image at its moment. One thread does
/// everything, so that the truth can be read from the files.
/// </summary>
internal sealed class ChainWorld : IDisposable
{
    private const string Schema = "CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, v BLOB); CREATE INDEX t_k ON t(k);";

    private readonly TempFolder files = new();
    private readonly JumpingClock clock = new(new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.Zero));

    // The true image of each backup, by its id; a copy by the backup API sets its own counters in page 1.
    private readonly Dictionary<string, (byte[] Image, bool IsStepped)> truths = new(StringComparer.Ordinal);
    private readonly List<string> ids = [];

    private BackupDirectory directory;
    private SqliteConnection? user;
    private SqliteConnection? reader;
    private int moves;
    private byte[]? olderDatabase;

    public ChainWorld(int pageSize, JournalMode mode)
    {
        directory = new BackupDirectory(files["backups"], clock);
        Run($"PRAGMA page_size = {pageSize}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = {mode}; {Schema}");
        Insert(rows: 60, seed: 1);
    }

    private string Database => files["app.db"];

    private SqliteConnection User
    {
        get
        {
            if (user is null)
            {
                user = Connect();
                Run("PRAGMA synchronous = OFF");
            }

            return user;
        }
    }

    /// <summary>Runs statements; a statement that another connection's lock refuses is skipped.</summary>
    public void Run(FormattableString sql) => Run(sql.ToString(CultureInfo.InvariantCulture));

    public void Run(string sql)
    {
        var code = raw.sqlite3_exec(User.Handle, sql, out var error);
        if (raw.sqlite3_get_autocommit(User.Handle) == 0)
        {
            _ = raw.sqlite3_exec(User.Handle, "ROLLBACK");
        }

        Assert.True(code is raw.SQLITE_OK or raw.SQLITE_BUSY or raw.SQLITE_LOCKED, $"{sql}: {error}");
    }

    /// <summary>Adds rows of about a third of a page each, so that any page size leads to a good number of pages.</summary>
    public void Insert(int rows, int seed) => Run(
        $"""
        INSERT INTO t(k, v)
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}),
            s(bytes) AS (SELECT page_size / 3 FROM pragma_page_size)
          SELECT noise({seed} + i, 0) % 1000, noise({seed} + i, bytes + noise(i, 0) % bytes) FROM n, s
        """);

    /// <summary>Ends the long-living connection, which checkpoints the log, and deletes it if no other connection is left.</summary>
    public void Close()
    {
        user?.Dispose();
        user = null;
    }

    public void BeginReading()
    {
        if (reader is null)
        {
            reader = Connect();
            _ = raw.sqlite3_exec(reader.Handle, "BEGIN; SELECT count(*) FROM t");
        }
    }

    public void EndReading()
    {
        reader?.Dispose();
        reader = null;
    }

    /// <summary>Kills every process that uses the database, during a transaction whose pages are in the files already.</summary>
    public void Crash()
    {
        _ = raw.sqlite3_exec(
            User.Handle, "PRAGMA cache_size = 2; BEGIN; UPDATE t SET v = noise(id, length(v)) WHERE id % 2 = 0; INSERT INTO t(k, v) SELECT k, v FROM t");
        string[] endings = ["", "-wal", "-journal"];
        var left = endings.Where(ending => File.Exists(Database + ending)).ToDictionary(ending => ending, ending => File.ReadAllBytes(Database + ending));
        DeleteDatabase();
        foreach ((var ending, var content) in left)
        {
            File.WriteAllBytes(Database + ending, content);
        }

        // The next user rolls a hot journal back; a log stays as it is.
        if (left.ContainsKey("-journal"))
        {
            Run("SELECT count(*) FROM t");
        }
    }

    /// <summary>Saves a copy of the whole database file for <see cref="CopyBack"/>.</summary>
    public void CopyAside() => olderDatabase = TrueImage.Of(Database);

    /// <summary>Replaces the database by an older copy.</summary>
    public void CopyBack()
    {
        if (olderDatabase is not null)
        {
            DeleteDatabase();
            File.WriteAllBytes(Database, olderDatabase);
        }
    }

    public void Backup(CreateBackupOptions options, int? parent, bool duringTransaction)
    {
        clock.Jump(TimeSpan.FromSeconds(1));
        var truth = TrueImage.Of(Database);
        if (user is not null)
        {
            // Another connection, because the user's own has content of free pages in its cache that it never wrote.
            using var other = Connect();
            Assert.Equal(ImageHash.Of(other), Convert.ToHexStringLower(SHA256.HashData(truth)));
        }

        // In rollback-journal mode the open transaction would lock the database.
        var isOpen = duringTransaction && user is not null && truth[18] == 2
            && raw.sqlite3_exec(user.Handle, "BEGIN IMMEDIATE; INSERT INTO t(k, v) SELECT k, v FROM t") == raw.SQLITE_OK;
        var before = FilesWithContent();
        options = options with { ParentId = parent is null || ids.Count == 0 ? null : ids[parent.Value % ids.Count], LockTimeout = Scene.ShortWait };

        var backup = CreateBackup.Run(Database, directory, options, Context());

        Assert.Equal(before, FilesWithContent());
        if (isOpen)
        {
            _ = raw.sqlite3_exec(user!.Handle, "ROLLBACK");
        }

        Assert.Equal(options.Verify, backup.Verified);
        if (options.Strategy == BackupStrategy.Full)
        {
            Assert.Equal(BackupType.Full, backup.Type);
        }
        else if (backup.Type != BackupType.Full && options.ParentId is { } named)
        {
            Assert.Equal(named, backup.ParentId);
        }

        ids.Add(backup.Id);
        truths.Add(backup.Id, (truth, (string)backup.Metadata["snapshot_method"]! == "stepped"));
    }

    public void Remove(int seed, int percent)
    {
        var random = new Random(seed);
        string[] chosen = [.. ids.Where(_ => random.Next(100) < percent)];
        List<string> gone = [];
        if (chosen.Length > 0)
        {
            RemoveBackups.Run(chosen, directory, removed => gone.Add(removed.Id), fault => Assert.Fail(fault.Message), Context());
        }

        Assert.Equal(chosen.Order(StringComparer.Ordinal), gone.Order(StringComparer.Ordinal));
        ids.RemoveAll(chosen.Contains);
        Assert.All(Listed(), backup => Assert.NotNull(backup.Depth));
    }

    public void Merge(int which) => OnOne(which, backup =>
    {
        var merged = MergeBackup.Run(backup, directory, Context());
        Assert.Equal((BackupType.Full, null, 0), (merged.Type, merged.ParentId, merged.Depth));
    });

    public void Test(int which, VerificationLevel level) => OnOne(which, backup => Passes(backup, level));

    /// <summary>Overwrites the database in use; if its users do not release it, it stays as it is.</summary>
    public void RestoreOver(int which, bool delta) => OnOne(which, backup =>
    {
        try
        {
            RestoreBackup.Run(
                BackupSource.In(directory, backup), new RestoreOptions { Destination = Database, LockTimeout = TimeSpan.Zero, Verify = false, Delta = delta },
                Context());
            AssertSame(Scene.WithoutCounters([.. truths[backup.Id].Image]), Scene.WithoutCounters(TrueImage.Of(Database)), backup);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.DestinationLocked or BackupErrorId.DestinationPageSizeDiffers)
        {
            // Documented refusals.
        }
    });

    public void ClockBack() => clock.Jump(-TimeSpan.FromHours(1));

    /// <summary>Does something to each file of the digest cache.</summary>
    public void OnDigests(Action<string> spoil) =>
        Array.ForEach(Directory.Exists(directory.Layout.DigestFolder) ? Directory.GetFiles(directory.Layout.DigestFolder, "*.pages") : [], spoil);

    /// <summary>Puts the digests of one backup in place of those of every other one, with a header to match.</summary>
    public void MixDigests()
    {
        var kept = files["older.pages"];
        OnDigests(path =>
        {
            var now = File.ReadAllBytes(path);
            if (now.Length < PageDigestFile.HeaderSize)
            {
                return;
            }

            if (File.Exists(kept))
            {
                File.WriteAllBytes(path, [.. now[..PageDigestFile.HeaderSize], .. File.ReadAllBytes(kept)[PageDigestFile.HeaderSize..]]);
            }

            File.WriteAllBytes(kept, now);
        });
    }

    public void RemoveState()
    {
        if (Directory.Exists(directory.Layout.StateFolder))
        {
            Directory.Delete(directory.Layout.StateFolder, recursive: true);
        }
    }

    /// <summary>Copies the backup directory to another place, and continues there.</summary>
    public void MoveDirectory(bool withState)
    {
        var to = files.Folder(string.Create(CultureInfo.InvariantCulture, $"backups {++moves}"));
        if (Directory.Exists(directory.Path))
        {
            foreach (var file in Directory.EnumerateFiles(directory.Path, "*", withState ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly))
            {
                var copy = Path.Combine(to, Path.GetRelativePath(directory.Path, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }

            Directory.Delete(directory.Path, recursive: true);
        }

        directory = new BackupDirectory(to, clock);
    }

    /// <summary>Checks that every remaining backup restores its image and passes a full test, and that nothing else is in the directory.</summary>
    public void CheckAll()
    {
        var listed = Listed();
        Assert.Equal(ids.Order(StringComparer.Ordinal), listed.Select(backup => backup.Id).Order(StringComparer.Ordinal));
        foreach (var backup in listed)
        {
            var restored = files[backup.Id + ".db"];
            RestoreBackup.Run(BackupSource.In(directory, backup), new RestoreOptions { Destination = restored, Verify = false }, Context());
            var image = File.ReadAllBytes(restored);
            (var truth, var isStepped) = truths[backup.Id];
            AssertSame(isStepped ? Scene.WithoutCounters([.. truth]) : truth, isStepped ? Scene.WithoutCounters([.. image]) : image, backup);
            var checksum = Convert.ToHexStringLower(SHA256.HashData(image));
            Assert.Equal(checksum, backup.Checksum ?? checksum);

            StoredPages.AreOf(image, directory.Get(backup.Id), directory, new Random(image.Length));
            Passes(backup, VerificationLevel.Full);

            Assert.Equal(checksum, directory.Get(backup.Id).Checksum);
            File.Delete(restored);
        }

        string[] named = [.. listed.SelectMany(backup => new[] { Path.GetFileName(backup.BackupPath), backup.Id + ".json" })];
        Assert.Equal(
            named.Order(StringComparer.Ordinal),
            Directory.Exists(directory.Path) ? Directory.GetFiles(directory.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)! : []);
    }

    public void Dispose()
    {
        Close();
        EndReading();
        files.Dispose();
    }

    private IReadOnlyList<BackupMetadata> Listed()
    {
        if (!Directory.Exists(directory.Path))
        {
            return [];
        }

        var listing = directory.List();
        Assert.Empty(listing.Faults);
        return listing.Backups;
    }

    private void OnOne(int which, Action<BackupMetadata> action)
    {
        if (ids.Count > 0)
        {
            action(directory.Get(ids[which % ids.Count]));
        }
    }

    private void Passes(BackupMetadata backup, VerificationLevel level)
    {
        var outcome = VerifyBackup.Run(BackupSource.In(directory, backup), level, Context());
        Assert.True(outcome.Fault is null, outcome.Fault?.Message);
    }

    // An empty log disappears when the last connection closes, whoever has it.
    private Dictionary<string, string> FilesWithContent() =>
        Scene.DatabaseFiles(Database).Where(file => new FileInfo(Database + file.Key).Length > 0).ToDictionary();

    private void DeleteDatabase()
    {
        Close();
        EndReading();
        foreach (var ending in (string[])["", "-wal", "-journal", "-shm"])
        {
            File.Delete(Database + ending);
        }
    }

    private SqliteConnection Connect()
    {
        var connection = Databases.Open(Database);
        _ = raw.sqlite3_busy_timeout(connection.Handle, 0);

        // The same bytes in every run of a program; a number if no length is wanted.
        connection.CreateFunction("noise", (long seed, long length) =>
        {
            var random = new Random((int)seed);
            if (length == 0)
            {
                return (object)random.NextInt64(1_000_000);
            }

            var bytes = new byte[length];
            random.NextBytes(bytes);
            return bytes;
        });
        return connection;
    }

    private OperationContext Context() => new(clock, _ => { }, CancellationToken.None);

    private static void AssertSame(byte[] truth, byte[] restored, BackupMetadata backup)
    {
        if (truth.AsSpan().SequenceEqual(restored))
        {
            return;
        }

        var pageSize = backup.PageSize!.Value;
        var differing = Enumerable.Range(0, Math.Min(truth.Length, restored.Length) / pageSize)
            .Where(page => !truth.AsSpan(page * pageSize, pageSize).SequenceEqual(restored.AsSpan(page * pageSize, pageSize)))
            .Select(page => page + 1);
        Assert.Fail(string.Create(
            CultureInfo.InvariantCulture,
            $"{backup.Id} ({backup.Type}, {backup.Metadata["snapshot_method"]}) restores to {restored.Length / pageSize} pages instead of {truth.Length / pageSize}; these differ: {string.Join(' ', differing)}"));
    }
}
