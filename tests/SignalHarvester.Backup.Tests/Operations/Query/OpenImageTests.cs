using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Encryption;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Query;

/// <summary>A backup is queried as it lies. Whatever is wrong with its file is told, and never becomes an answer.</summary>
public sealed class OpenImageTests : IDisposable
{
    private const string Count = "SELECT count(*) n, sum(length(name)) l FROM customer NOT INDEXED";

    private readonly Scene scene = new();
    private readonly AgeFiles keys = new();

    public OpenImageTests() => Databases.Create(scene.Database, new DatabaseShape { Rows = 20_000, JournalMode = JournalMode.Wal });

    public static TheoryData<CompressionType, bool> Forms => new(
        from compression in Enum.GetValues<CompressionType>()
        from encrypted in new[] { false, true }
        select (compression, encrypted));

    public void Dispose()
    {
        keys.Dispose();
        scene.Dispose();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_of_a_chain_has_the_rows_of_its_moment_and_nothing_is_unpacked(CompressionType compression, bool encrypted)
    {
        var options = new CreateBackupOptions
        {
            Compression = compression,
            Strategy = BackupStrategy.Incremental,
            Encryption = encrypted ? BackupEncryption.To([keys.Recipient]) : null,
        };
        var context = scene.Context() with { Identities = keys.Ring };
        List<(BackupMetadata Backup, string Rows)> made = [];
        foreach (var sql in new[]
        {
            "SELECT 1", "UPDATE customer SET name = name || 'x' WHERE id % 50 = 0", "UPDATE customer SET name = 'n' || id WHERE id > 15000",
        })
        {
            using (var connection = Databases.Open(scene.Database))
            {
                Databases.Execute(connection, sql);
                made.Add((scene.Create(options, context: context), Rows(connection)));
            }
        }

        Assert.Equal(3, made.Select(one => one.Rows).Distinct().Count());
        Assert.All(made, one => Assert.Equal(one.Rows, Ask(one.Backup, context)));

        // Without the digests, content that carries no checksum of its own is unpacked first.
        Directory.Delete(scene.Directory.Layout.DigestFolder, recursive: true);
        Assert.All(made, one => Assert.Equal(one.Rows, Ask(one.Backup, context)));
        Assert.Equal(compression == CompressionType.None && !encrypted, scene.Warnings.Any(warning => warning.Contains("unpacked", StringComparison.Ordinal)));
        Assert.Empty(TemporaryFolders());
    }

    [Theory]
    [InlineData(CompressionType.Zstd)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.None)]
    public void A_damaged_part_is_an_error_where_it_is_read_and_no_answer(CompressionType compression)
    {
        var backup = scene.Create(new CreateBackupOptions { Compression = compression });
        Damage(backup);

        var error = Assert.Throws<BackupException>(() => Ask(backup));

        Assert.True(error.ErrorId is BackupErrorId.BackupCorrupt or BackupErrorId.BackupChecksumMismatch, error.Message);
        Assert.Equal(backup.Id, error.Target);
    }

    [Fact]
    public void A_page_that_is_sound_and_not_the_one_that_was_backed_up_is_found_by_its_digest()
    {
        var backup = scene.Create(new CreateBackupOptions { Compression = CompressionType.None });

        // Nothing but the digests can see this: the file is not compressed.
        Damage(backup);

        Assert.Equal(BackupErrorId.BackupCorrupt, Assert.Throws<BackupException>(() => Ask(backup)).ErrorId);
    }

    [Fact]
    public void A_file_that_is_cut_is_an_error()
    {
        var backup = scene.Create();
        using (var file = File.OpenWrite(backup.BackupPath))
        {
            file.SetLength(file.Length - 100);
        }

        Assert.Equal(BackupErrorId.BackupSizeMismatch, Assert.Throws<BackupException>(() => Ask(backup)).ErrorId);
    }

    [Fact]
    public void A_file_that_is_cut_replaced_or_removed_while_it_is_read_gives_its_rows_or_an_error()
    {
        using (var connection = Databases.Open(scene.Database))
        {
            // More than one frame, and customers behind it.
            Databases.Execute(
                connection,
                "CREATE TABLE big(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO big SELECT randomblob(3000) FROM n");
            Databases.Execute(connection, "CREATE TABLE moved AS SELECT * FROM customer; DROP TABLE big");
            Databases.Execute(connection, "ALTER TABLE customer RENAME TO former; ALTER TABLE moved RENAME TO customer");
        }

        var backup = scene.Create();
        var truth = Ask(backup);
        foreach (var (change, isError) in new (Action<string>, bool)[]
        {
            (path => File.Move(Write(scene["other"], [1, 2, 3]), path, overwrite: true), false),
            (File.Delete, false),
            (path => Tool.Require("truncate").Run("--size=1000000", path), true),
        })
        {
            var good = File.ReadAllBytes(backup.BackupPath);
            using (var image = OpenImage.Of(BackupSource.In(scene.Directory, backup), scene.Context()))
            using (var connection = image.Connect(CancellationToken.None))
            {
                change(backup.BackupPath);
                if (isError)
                {
                    Assert.Throws<SqliteException>(() => Rows(connection));
                    Assert.Equal(BackupErrorId.BackupCorrupt, Assert.IsType<BackupException>(image.Failure).ErrorId);
                }
                else
                {
                    Assert.Equal(truth, Rows(connection));
                }
            }

            Write(backup.BackupPath, good);
        }
    }

    [Fact]
    public void A_full_backup_below_its_increment_that_is_damaged_is_named()
    {
        var full = scene.Create();
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(connection, "UPDATE customer SET name = 'y' WHERE id = 1");
        }

        var increment = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Verify = false });
        Assert.Equal(full.Id, increment.ParentId);
        Damage(full);

        Assert.Equal(full.Id, Assert.Throws<BackupException>(() => Ask(increment)).Target);
    }

    [Fact]
    public void A_list_of_pages_that_lies_is_damage_and_never_an_older_row_and_nothing_is_left()
    {
        var increment = Chain().Increment;
        Directory.Delete(scene.Directory.Layout.DigestFolder, recursive: true);
        var good = File.ReadAllBytes(increment.BackupPath);
        var list = good.AsSpan().LastIndexOf("SHPL"u8);
        Assert.True(list > 0);
        var truth = Ask(increment);
        for (var at = list + 4; at < list + 20; at++)
        {
            File.WriteAllBytes(increment.BackupPath, [.. good[..at], (byte)(good[at] ^ 1), .. good[(at + 1)..]]);
            var error = Assert.Throws<BackupException>(
                () => Run(increment, new QueryOptions { Sql = "SELECT name FROM customer WHERE id = 7" }, scene.Context()));
            Assert.Equal((BackupErrorId.BackupCorrupt, increment.Id), (error.ErrorId, error.Target));
        }

        Assert.Empty(TemporaryFolders());
        File.WriteAllBytes(increment.BackupPath, good);
        Assert.Equal(truth, Ask(increment));
    }

    [Fact]
    public void A_table_of_frames_that_hides_the_end_of_a_full_backup_is_damage_and_its_pages_are_not_empty()
    {
        var (full, increment) = Chain();
        Directory.Delete(scene.Directory.Layout.DigestFolder, recursive: true);
        var bytes = File.ReadAllBytes(full.BackupPath);

        // The last frame of the table, before the footer.
        var content = bytes.AsSpan(bytes.Length - 9 - sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(content, BinaryPrimitives.ReadInt32LittleEndian(content) - full.PageSize!.Value);
        File.WriteAllBytes(full.BackupPath, bytes);

        var error = Assert.Throws<BackupException>(() => Ask(increment));

        Assert.Equal((BackupErrorId.BackupCorrupt, full.Id), (error.ErrorId, error.Target));
    }

    [Fact]
    public void A_statement_that_reports_a_failed_read_as_a_finding_is_an_error_in_the_end()
    {
        // The pages behind the first one of a long value are read by the check of the tree alone.
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(
                connection,
                "CREATE TABLE big(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) INSERT INTO big SELECT randomblob(5000000) FROM n");
        }

        var backup = scene.Create(new CreateBackupOptions { Verify = false });
        var bytes = File.ReadAllBytes(backup.BackupPath);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(backup.BackupPath, bytes);

        var error = Assert.Throws<BackupException>(() => QueryBackup.Run(
            BackupSource.In(scene.Directory, backup), new QueryOptions { Sql = "PRAGMA integrity_check" }, _ => true, scene.Context()));

        Assert.Equal(BackupErrorId.BackupCorrupt, error.ErrorId);
    }

    [Fact]
    public void A_query_that_never_ends_is_stopped_by_its_time_and_by_its_user()
    {
        var backup = scene.Create();
        const string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        using var stop = new CancellationTokenSource();
        var context = scene.ContextUntil(stop.Token);

        // The clock of the scene stands still until it is moved.
        var late = Task.Run(() => Run(backup, new QueryOptions { Sql = endless, Timeout = TimeSpan.FromSeconds(5) }, scene.Context()));
        while (!late.IsCompleted)
        {
            scene.Clock.Advance(TimeSpan.FromSeconds(1));
            Thread.Yield();
        }

        Assert.Equal(BackupErrorId.QueryLimitExceeded, Assert.IsType<BackupException>(late.Exception!.InnerException).ErrorId);
        var stopped = Task.Run(() => Run(backup, new QueryOptions { Sql = endless }, context));
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => stopped.GetAwaiter().GetResult());
    }

    [Fact]
    public void A_look_into_a_chain_reads_only_what_it_needs_of_each_link()
    {
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(
                connection,
                "CREATE TABLE big(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO big SELECT randomblob(3000) FROM n");
            scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Full });
            Databases.Execute(connection, "UPDATE big SET x = randomblob(3000) WHERE rowid > 3000; UPDATE customer SET name = 'n7' WHERE id = 7");
        }

        var increment = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
        scene.Events.Clear();

        Assert.Equal("n7", Run(increment, new QueryOptions { Sql = "SELECT name FROM customer WHERE id = 7" }, scene.Context()));

        // "Read of 'backup_…': 3 of 9 frames, 2.1 MB."
        var told = scene.Events.OfType<OperationMessage>().Single(message => message.Text.StartsWith("Read of", StringComparison.Ordinal)).Text;
        var words = told.Split(": ")[1].Split(' ');
        Assert.InRange(int.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture), 1, 4);
        Assert.InRange(int.Parse(words[2], System.Globalization.CultureInfo.InvariantCulture), 8, 20);
    }

    [Fact]
    public void A_list_of_pages_that_is_damaged_is_an_error_and_no_older_page()
    {
        scene.Create();
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(connection, "UPDATE customer SET domain = 'x' || id");
        }

        var increment = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Verify = false });
        var bytes = File.ReadAllBytes(increment.BackupPath);
        var list = FrameIndex.TryRead(new MemoryBytes(bytes), CompressionType.Zstd, TestContext.Current.CancellationToken)!.Aside!.Value;

        // A page is called by the number of one that the increment does not have.
        var at = Enumerable.Range((int)list.Offset + 20, list.Length - 40).First(at => bytes[at] == 1 && bytes[at + 1] > 1 && bytes[at + 1] < 100);
        (bytes[at], bytes[at + 1]) = (2, (byte)(bytes[at + 1] - 1));
        File.WriteAllBytes(increment.BackupPath, bytes);
        Directory.Delete(scene.Directory.Layout.DigestFolder, recursive: true);

        var error = Assert.Throws<BackupException>(() => Run(
            increment, new QueryOptions { Sql = "SELECT max(id) + max(domain) + max(name) FROM customer NOT INDEXED" }, scene.Context()));

        Assert.Equal((BackupErrorId.BackupCorrupt, increment.Id), (error.ErrorId, error.Target));
    }

    [Fact]
    public void An_encrypted_file_that_ends_with_a_whole_piece_too_early_is_cut()
    {
        var backup = scene.Create(
            new CreateBackupOptions { Encryption = BackupEncryption.To([keys.Recipient]), Compression = CompressionType.None },
            context: scene.Context() with { Identities = keys.Ring });
        var bytes = File.ReadAllBytes(backup.BackupPath);
        const int piece = (64 << 10) + 16;
        var start = bytes.AsSpan().IndexOf("\n--- "u8);
        start += bytes.AsSpan(start + 1).IndexOf((byte)'\n') + 2 + 16;

        using var whole = DecryptedBytes.Open(new MemoryBytes(bytes), keys.Ring, backup, TestContext.Current.CancellationToken);
        Assert.Equal(backup.DatabaseSize, whole.Length);
        Assert.Throws<InvalidDataException>(
            () => DecryptedBytes.Open(new MemoryBytes(bytes[..(start + (3 * piece))]), keys.Ring, backup, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_function_that_only_the_application_has_is_an_error_and_no_NULL() =>
        Assert.Contains(
            "only the application has",
            Assert.Throws<BackupException>(() => Run(scene.Create(), new QueryOptions { Sql = "SELECT upper('i', 'tr')" }, scene.Context())).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Two_threads_ask_two_backups_at_once()
    {
        var first = scene.Create();
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(connection, "UPDATE customer SET name = 'n' || id WHERE id % 2 = 0");
        }

        var second = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
        var (one, two) = (Ask(first), Ask(second));

        Assert.NotEqual(one, two);
        Parallel.For(0, 20, i => Assert.Equal(i % 2 == 0 ? one : two, Ask(i % 2 == 0 ? first : second)));
    }

    /// <summary>Makes a full backup of several frames, and an increment over it with a new name for customer 7.</summary>
    private (BackupMetadata Full, BackupMetadata Increment) Chain()
    {
        BackupMetadata full;
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(
                connection,
                "CREATE TABLE big(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO big SELECT randomblob(3000) FROM n");
            full = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Full });
            Databases.Execute(connection, "UPDATE big SET x = randomblob(3000) WHERE rowid > 3900; UPDATE customer SET name = 'n7' WHERE id = 7");
        }

        return (full, scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Verify = false }));
    }

    /// <summary>Changes a byte of each page, except those of the schema.</summary>
    private static void Damage(BackupMetadata backup)
    {
        var bytes = File.ReadAllBytes(backup.BackupPath);
        for (var at = 3 * 4096; at < bytes.Length; at += 4096)
        {
            bytes[at + 2000 < bytes.Length ? at + 2000 : at] ^= 0x10;
        }

        File.WriteAllBytes(backup.BackupPath, bytes);
    }

    private static string Write(string path, byte[] bytes)
    {
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Rows(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Count;
        using var reader = command.ExecuteReader();
        Assert.True(reader.Read());
        return $"{reader.GetInt64(0)} {reader.GetInt64(1)}";
    }

    private string Ask(BackupMetadata backup, OperationContext? context = null) =>
        Run(backup, new QueryOptions { Sql = Count }, context ?? scene.Context());

    private string Run(BackupMetadata backup, QueryOptions options, OperationContext context)
    {
        var rows = new List<string>();
        QueryBackup.Run(
            BackupSource.In(scene.Directory, backup),
            options,
            row =>
            {
                rows.Add(string.Join(' ', row.Values));
                return true;
            },
            context);
        return Assert.Single(rows);
    }

    private string[] TemporaryFolders() =>
        Directory.Exists(scene.Directory.Layout.TemporaryParent) ? Directory.GetFileSystemEntries(scene.Directory.Layout.TemporaryParent) : [];
}
