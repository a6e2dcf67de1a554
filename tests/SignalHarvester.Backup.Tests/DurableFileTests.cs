using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests;

public sealed class DurableFileTests : IDisposable
{
    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void A_file_is_replaced_whole_and_a_killed_writers_rest_is_no_hindrance()
    {
        File.WriteAllText(files["a.json"], "old");
        File.WriteAllText(files["a.json.partial"], "a longer rest of a killed run");

        DurableFile.WriteAllBytes(files["a.json"], "new"u8);

        Assert.Equal("new", File.ReadAllText(files["a.json"]));
        Assert.False(File.Exists(files["a.json.partial"]));
    }

    [Theory]
    [InlineData("a.json")]
    [InlineData("a.json.partial")]
    public void A_link_in_the_files_place_is_replaced_and_not_followed(string link)
    {
        File.WriteAllText(files["outside"], "mine");
        File.CreateSymbolicLink(files[link], files["outside"]);

        DurableFile.WriteAllBytes(files["a.json"], "new"u8);

        Assert.Equal("mine", File.ReadAllText(files["outside"]));
        Assert.Equal("new", File.ReadAllText(files["a.json"]));
        Assert.Null(new FileInfo(files["a.json"]).LinkTarget);
    }

    [Fact]
    public void What_is_missing_can_be_deleted() => DurableFile.Delete(files["not there"]);

    [Fact]
    public void A_folder_that_is_missing_cannot_be_flushed_and_that_is_said()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "on Windows the file system's journal keeps the names of a folder");

        var error = Assert.Throws<IOException>(() => DurableFile.FlushDirectory(files["not there"]));

        Assert.Contains(files["not there"], error.Message, StringComparison.Ordinal);
    }
}
