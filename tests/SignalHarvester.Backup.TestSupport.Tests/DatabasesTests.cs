using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class DatabasesTests : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string> ShapeNames => [.. Databases.Shapes.Keys];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(ShapeNames))]
    public void Every_shape_is_a_sound_database_of_that_shape(string name)
    {
        var shape = Databases.Shapes[name];
        using var connection = Databases.Open(Databases.Create(folder["a.db"], shape));

        Assert.Equal("ok", Databases.Scalar(connection, "PRAGMA integrity_check"));
        Assert.Equal($"{shape.PageSize}", Databases.Scalar(connection, "PRAGMA page_size"));
        Assert.Equal($"{shape.JournalMode}", Databases.Scalar(connection, "PRAGMA journal_mode"), ignoreCase: true);
        Assert.Equal($"{(int)shape.AutoVacuum}", Databases.Scalar(connection, "PRAGMA auto_vacuum"));
        Assert.Equal(shape.Encoding, Databases.Scalar(connection, "PRAGMA encoding"));
        Assert.Equal($"{shape.Rows}", Databases.Scalar(connection, "SELECT count(*) FROM customer"));
        Assert.Equal($"{shape.Rows}", Databases.Scalar(connection, "SELECT count(*) FROM audit"));
    }

    [Fact]
    public void The_same_shape_gives_the_same_image_twice()
    {
        Databases.Create(folder["a.db"]);
        Databases.Create(folder["b.db"]);

        Assert.Equal(File.ReadAllBytes(folder["a.db"]), File.ReadAllBytes(folder["b.db"]));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(65536)]
    public void An_empty_database_is_one_page(int pageSize)
    {
        Databases.CreateEmpty(folder["a.db"], new DatabaseShape { PageSize = pageSize });

        Assert.Equal(pageSize, new FileInfo(folder["a.db"]).Length);
    }

    [Fact]
    public void A_left_wal_holds_what_the_file_does_not()
    {
        Databases.CreateWithLeftWal(folder["a.db"]);
        File.Copy(folder["a.db"], folder["without.db"]);

        using var with = Databases.Open(folder["a.db"]);
        using var without = Databases.Open(folder["without.db"]);
        Assert.Equal("1100", Databases.Scalar(with, "SELECT count(*) FROM customer"));
        Assert.Equal("1000", Databases.Scalar(without, "SELECT count(*) FROM customer"));
    }

    [Theory]
    [InlineData(JournalMode.Delete)]
    [InlineData(JournalMode.Wal)]
    public void A_database_over_the_lock_page_is_sound_and_uses_pages_on_both_sides(JournalMode mode)
    {
        Databases.CreateOverLockPage(folder["big.db"], mode);

        Assert.True(new FileInfo(folder["big.db"]).Length > 0x40000000 + 2 * 65536);
        using var connection = Databases.Open(folder["big.db"]);
        Assert.Equal("ok", Databases.Scalar(connection, "PRAGMA integrity_check"));
        Assert.Equal("5000", Databases.Scalar(connection, "SELECT count(*) FROM customer"));
        Assert.True(long.Parse(Databases.Scalar(connection, "PRAGMA freelist_count"), null) > 16000);
    }
}
