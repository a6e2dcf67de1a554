using System.Buffers.Binary;
using System.Security.Cryptography;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Formats;

/// <summary>zstd or gunzip and the sqlite3 shell alone apply each increment, to the byte.</summary>
public sealed class PlainToolsTests : IDisposable
{
    private readonly Scene scene = new();

    public static TheoryData<JournalMode, int, CompressionType> Kinds
    {
        get
        {
            var data = new TheoryData<JournalMode, int, CompressionType>();
            var compressions = Enum.GetValues<CompressionType>();
            int[] pageSizes = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];
            for (var i = 0; i < pageSizes.Length; i++)
            {
                data.Add(JournalMode.Wal, pageSizes[i], compressions[i % compressions.Length]);
                data.Add(JournalMode.Delete, pageSizes[i], compressions[(i + 1) % compressions.Length]);
            }

            return data;
        }
    }

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_chain_of_increments_is_restored(JournalMode mode, int pageSize, CompressionType compression)
    {
        Databases.Create(
            scene.Database,
            new DatabaseShape { JournalMode = mode, PageSize = pageSize, AutoVacuum = AutoVacuum.Incremental, Rows = Math.Max(1000, pageSize / 8) });
        var options = new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Compression = compression };
        List<BackupMetadata> chain = [scene.Create(options)];

        BackupMetadata Next(string sql)
        {
            using (var connection = Databases.Open(scene.Database))
            {
                Databases.Execute(connection, sql);
            }

            var backup = scene.Create(options);
            Assert.Equal((BackupType.Incremental, chain[^1].Id), (backup.Type, backup.ParentId));
            chain.Add(backup);
            return backup;
        }

        Assert.True(Next("INSERT INTO audit(what) VALUES ('one')").PageCount == chain[0].PageCount);
        Assert.True(Next("CREATE TABLE more(x); INSERT INTO more SELECT zeroblob(70000)").PageCount > chain[0].PageCount);
        var unchanged = Next("SELECT 1");
        Assert.Equal(0L, unchanged.Metadata["changed_pages"]);
        Assert.Equal(32, new FileInfo(scene.Unpack(unchanged)).Length);
        Assert.True(Next("DROP TABLE more; PRAGMA incremental_vacuum").PageCount < unchanged.PageCount);
        Next("PRAGMA user_version = 7");
        Next($"PRAGMA journal_mode = {(mode == JournalMode.Wal ? JournalMode.Delete : JournalMode.Wal)}");
        Next("UPDATE customer SET name = name || '!' WHERE id % 100 = 0");

        AssertPlainToolsRestore(chain);

        // A fold writes increments too.
        Assert.Empty(scene.Remove(chain[2], chain[3], chain[6]).Faults);
        AssertPlainToolsRestore([.. new[] { 0, 1, 4, 5, 7 }.Select(index => scene.Directory.Get(chain[index].Id))]);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65536)]
    public void A_chain_of_log_tails_is_restored(int pageSize)
    {
        using var user = Databases.CreateWithLiveWal(scene.Database, new DatabaseShape { PageSize = pageSize });
        var options = new CreateBackupOptions { Strategy = BackupStrategy.Wal };
        List<BackupMetadata> chain = [scene.Create(options)];
        foreach (var sql in (string[])["INSERT INTO audit(what) VALUES ('one')", "SELECT 1", "DELETE FROM attachment; VACUUM",
            "CREATE TABLE more(x); INSERT INTO more SELECT zeroblob(70000)"])
        {
            Databases.Execute(user, sql);
            chain.Add(scene.Create(options));
            Assert.Equal((BackupType.Wal, chain[^2].Id), (chain[^1].Type, chain[^1].ParentId));
        }

        AssertPlainToolsRestore(chain);
    }

    [Fact]
    public void A_chain_that_grows_over_the_lock_byte_page_is_restored()
    {
        Databases.CreateBelowLockPage(scene.Database);
        var options = new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Verify = false };
        List<BackupMetadata> chain = [scene.Create(options)];
        Databases.GrowOverLockPage(scene.Database);
        chain.Add(scene.Create(options));
        using (var user = Databases.Open(scene.Database))
        {
            Databases.Execute(user, "PRAGMA user_version = 1; DELETE FROM audit WHERE id = 1");
        }

        chain.Add(scene.Create(options));
        var truth = ImageHash.Of(scene.Database);
        Assert.Equal([BackupType.Full, BackupType.Incremental, BackupType.Incremental], chain.Select(backup => backup.Type));
        Assert.DoesNotContain(0x40000000 / 65536 + 1, PagesOf(scene.Unpack(chain[1])));

        // A GiB each time, so only the last image: once with the link in the middle, and once after the fold.
        var image = ByPlainTools(chain);
        Assert.Equal(truth, Scene.Digest(image));
        Assert.Empty(scene.Remove(chain[1]).Faults);
        File.Delete(image);
        Assert.Equal(truth, Scene.Digest(ByPlainTools([chain[0], scene.Directory.Get(chain[2].Id)])));
    }

    /// <summary>Applies one increment after another to the full backup, and compares each result with our own restore.</summary>
    private void AssertPlainToolsRestore(IReadOnlyList<BackupMetadata> chain)
    {
        var image = ByPlainTools(
            chain, backup => Assert.Equal(Scene.Digest(scene["plain.db"]), Convert.ToHexStringLower(SHA256.HashData(scene.Restored(backup)))));
        File.Delete(image);
    }

    private static IEnumerable<int> PagesOf(string wal)
    {
        var content = File.ReadAllBytes(wal);
        for (var frame = 32; frame < content.Length; frame += 24 + BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(8)))
        {
            yield return BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(frame));
        }
    }

    private string ByPlainTools(IReadOnlyList<BackupMetadata> chain, Action<BackupMetadata>? afterLink = null)
    {
        var image = scene["plain.db"];
        scene.Unpack(chain[0], image);
        foreach (var increment in chain.Skip(1))
        {
            scene.Unpack(increment, image + "-wal");
            Assert.Equal("0|0|0\n", Tool.Require("sqlite3").Run(image, "PRAGMA wal_checkpoint(TRUNCATE)").EnsureSuccess().Output);
            File.Delete(image + "-wal");
            afterLink?.Invoke(increment);
        }

        return image;
    }
}
