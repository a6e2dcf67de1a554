using Microsoft.Data.Sqlite;
using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class RealDatabasesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Names => [.. RealDatabases.Names];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_real_database_is_some_MiB_and_sound(string name)
    {
        RealDatabases.Copy(name, _folder["a.db"], JournalMode.Wal);

        Assert.True(new FileInfo(_folder["a.db"]).Length > 4 << 20);
        using SqliteConnection connection = Databases.Open(_folder["a.db"]);
        Assert.Equal("ok", Databases.Scalar(connection, "PRAGMA integrity_check"));
        Assert.Equal("wal", Databases.Scalar(connection, "PRAGMA journal_mode"));
    }

    [Fact]
    public void A_tool_that_is_not_installed_gives_a_reason_to_skip() =>
        Assert.Contains("'no-such-tool'", Tool.SkipReason("no-such-tool"), StringComparison.Ordinal);

    [Fact]
    public void A_tool_gets_its_arguments_whole_and_its_output_is_kept_byte_by_byte()
    {
        Tool zstd = Tool.Require("zstd");
        byte[] content = [0, 255, 13, 10, 0, 128];
        File.WriteAllBytes(_folder["a b.bin"], content);

        zstd.Run("-q", _folder["a b.bin"]).EnsureSuccess();
        zstd.RunToFile(_folder["c.bin"], "-dc", _folder["a b.bin.zst"]).EnsureSuccess();

        Assert.Equal(content, File.ReadAllBytes(_folder["c.bin"]));
        ToolResult failed = zstd.Run("-d", _folder["none.zst"]);
        Assert.NotEqual(0, failed.ExitCode);
        Assert.NotEqual("", failed.Error);
    }
}
