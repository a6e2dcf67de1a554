using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class ImageHashTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> ShapeNames => [.. Databases.Shapes.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(ShapeNames))]
    public void A_database_at_rest_has_the_hash_of_its_file(string name)
    {
        Databases.Create(_folder["a.db"], Databases.Shapes[name]);

        Assert.Equal(HashOfFile("a.db"), ImageHash.Of(_folder["a.db"]));
    }

    [Fact]
    public void Bytes_behind_the_last_page_do_not_count()
    {
        string hash = ImageHash.Of(Databases.Create(_folder["a.db"]));
        File.AppendAllBytes(_folder["a.db"], new byte[4096]);

        Assert.Equal(hash, ImageHash.Of(_folder["a.db"]));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(65536)]
    public void A_left_wal_counts_and_stays_as_it_is(int pageSize)
    {
        Databases.CreateWithLeftWal(_folder["a.db"], new DatabaseShape { PageSize = pageSize });
        string withoutWal = HashOfFile("a.db");
        byte[] wal = File.ReadAllBytes(_folder["a.db-wal"]);

        string hash = ImageHash.Of(_folder["a.db"]);

        Assert.NotEqual(withoutWal, hash);
        Assert.Equal(wal, File.ReadAllBytes(_folder["a.db-wal"]));
        using (SqliteConnection connection = Databases.Open(_folder["a.db"]))
        {
            Assert.Equal(hash, ImageHash.Of(connection));
        }

        Assert.False(File.Exists(_folder["a.db-wal"]));
        Assert.Equal(hash, HashOfFile("a.db"));
    }

    [Fact]
    public void A_hot_journal_is_rolled_back()
    {
        var shape = new DatabaseShape { JournalMode = JournalMode.Delete, Rows = 5000 };
        string hash = ImageHash.Of(Databases.Create(_folder["a.db"], shape));
        using (SqliteConnection connection = Databases.Open(_folder["a.db"]))
        {
            // A cache this small spills: the file is changed while the journal holds what it was.
            Databases.Execute(connection, "PRAGMA cache_size = 5; BEGIN; UPDATE customer SET domain = 'changed'");
            File.Copy(_folder["a.db"], _folder["hot.db"]);
            File.Copy(_folder["a.db-journal"], _folder["hot.db-journal"]);
        }

        Assert.NotEqual(hash, HashOfFile("hot.db"));
        Assert.Equal(hash, ImageHash.Of(_folder["hot.db"]));
    }

    [Fact]
    public void The_lock_byte_page_counts_as_zeros()
    {
        Databases.CreateOverLockPage(_folder["big.db"], JournalMode.Delete);
        string hash = HashOfFile("big.db");
        using (FileStream file = File.Open(_folder["big.db"], FileMode.Open))
        {
            file.Position = 0x40000000 + 100;
            file.WriteByte(1);
        }

        Assert.Equal(hash, ImageHash.Of(_folder["big.db"]));
    }

    private string HashOfFile(string name)
    {
        using FileStream file = File.OpenRead(_folder[name]);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
