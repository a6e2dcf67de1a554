using System.Security.Cryptography;
using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class ImageHashTests : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string> ShapeNames => [.. Databases.Shapes.Keys];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(ShapeNames))]
    public void A_database_at_rest_has_the_hash_of_its_file(string name)
    {
        Databases.Create(folder["a.db"], Databases.Shapes[name]);

        Assert.Equal(HashOfFile("a.db"), ImageHash.Of(folder["a.db"]));
    }

    [Fact]
    public void Bytes_behind_the_last_page_do_not_count()
    {
        var hash = ImageHash.Of(Databases.Create(folder["a.db"]));
        File.AppendAllBytes(folder["a.db"], new byte[4096]);

        Assert.Equal(hash, ImageHash.Of(folder["a.db"]));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(65536)]
    public void A_left_wal_counts_and_stays_as_it_is(int pageSize)
    {
        Databases.CreateWithLeftWal(folder["a.db"], new DatabaseShape { PageSize = pageSize });
        var withoutWal = HashOfFile("a.db");
        var wal = File.ReadAllBytes(folder["a.db-wal"]);

        var hash = ImageHash.Of(folder["a.db"]);

        Assert.NotEqual(withoutWal, hash);
        Assert.Equal(wal, File.ReadAllBytes(folder["a.db-wal"]));
        using (var connection = Databases.Open(folder["a.db"]))
        {
            Assert.Equal(hash, ImageHash.Of(connection));
        }

        Assert.False(File.Exists(folder["a.db-wal"]));
        Assert.Equal(hash, HashOfFile("a.db"));
    }

    [Fact]
    public void A_hot_journal_is_rolled_back()
    {
        var shape = new DatabaseShape { JournalMode = JournalMode.Delete, Rows = 5000 };
        var hash = ImageHash.Of(Databases.Create(folder["a.db"], shape));
        using (var connection = Databases.Open(folder["a.db"]))
        {
            // Such a small cache spills: the file is changed while the journal has its former content.
            Databases.Execute(connection, "PRAGMA cache_size = 5; BEGIN; UPDATE customer SET domain = 'changed'");
            File.Copy(folder["a.db"], folder["hot.db"]);
            File.Copy(folder["a.db-journal"], folder["hot.db-journal"]);
        }

        Assert.NotEqual(hash, HashOfFile("hot.db"));
        Assert.Equal(hash, ImageHash.Of(folder["hot.db"]));
    }

    [Fact]
    public void The_lock_byte_page_counts_as_zeros()
    {
        Databases.CreateOverLockPage(folder["big.db"], JournalMode.Delete);
        var hash = HashOfFile("big.db");
        using (var file = File.Open(folder["big.db"], FileMode.Open))
        {
            file.Position = 0x40000000 + 100;
            file.WriteByte(1);
        }

        Assert.Equal(hash, ImageHash.Of(folder["big.db"]));
    }

    private string HashOfFile(string name)
    {
        using var file = File.OpenRead(folder[name]);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
