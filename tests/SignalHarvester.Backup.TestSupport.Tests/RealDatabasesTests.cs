using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class RealDatabasesTests : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string> Names => [.. RealDatabases.Names];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_real_database_is_some_MiB_and_sound(string name)
    {
        RealDatabases.Copy(name, folder["a.db"], JournalMode.Wal);

        Assert.True(new FileInfo(folder["a.db"]).Length > 4 << 20);
        using var connection = Databases.Open(folder["a.db"]);
        Assert.Equal("ok", Databases.Scalar(connection, "PRAGMA integrity_check"));
        Assert.Equal("wal", Databases.Scalar(connection, "PRAGMA journal_mode"));
    }

    [Fact]
    public void A_tool_that_is_not_installed_gives_a_reason_to_skip() =>
        Assert.Contains("'no-such-tool'", Tool.SkipReason("no-such-tool"), StringComparison.Ordinal);

    [Fact]
    public void A_tool_gets_its_arguments_whole_and_its_output_is_kept_byte_by_byte()
    {
        var zstd = Tool.Require("zstd");
        byte[] content = [0, 255, 13, 10, 0, 128];
        File.WriteAllBytes(folder["a b.bin"], content);

        zstd.Run("-q", folder["a b.bin"]).EnsureSuccess();
        zstd.RunToFile(folder["c.bin"], "-dc", folder["a b.bin.zst"]).EnsureSuccess();

        Assert.Equal(content, File.ReadAllBytes(folder["c.bin"]));
        var failed = zstd.Run("-d", folder["none.zst"]);
        Assert.NotEqual(0, failed.ExitCode);
        Assert.NotEqual("", failed.Error);
    }
}
