using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Storage;

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
    public void A_device_or_pipe_is_never_replaced_by_a_file()
    {
        Tool.Require("mkfifo").Run(files["pipe"]).EnsureSuccess();

        Assert.Throws<IOException>(() => DurableFile.WriteAllBytes(files["pipe"], "new"u8));
        File.WriteAllText(files["made"], "new");
        Assert.Throws<IOException>(() => DurableFile.Rename(files["made"], files["pipe"]));

        Assert.False(FileKind.IsRegularItself(files["pipe"]));
        Assert.Equal(["made", "pipe"], Directory.GetFileSystemEntries(files.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_file_is_replaced_although_somebody_reads_it()
    {
        File.WriteAllText(files["a.json"], "old");
        var reader = File.OpenHandle(files["a.json"], share: FileShare.ReadWrite | FileShare.Delete);
        var done = Task.Run(async () =>
        {
            using (reader)
            {
                // On Windows the writer waits for this.
                await Task.Delay(200, TestContext.Current.CancellationToken);
                var content = new byte[3];
                RandomAccess.Read(reader, content, 0);
                return content;
            }
        },
        TestContext.Current.CancellationToken);

        DurableFile.WriteAllBytes(files["a.json"], "new"u8);

        Assert.Equal("new", File.ReadAllText(files["a.json"]));
        Assert.Equal("old"u8.ToArray(), await done);
    }

    [Fact]
    public void What_somebody_has_open_is_tried_until_he_is_done()
    {
        var holder = File.OpenHandle(files["held"], FileMode.Create, FileAccess.Write, FileShare.None);
        var attempts = 0;

        DurableFile.RetryWhileHeld(() =>
        {
            if (++attempts == 3)
            {
                holder.Dispose();
            }

            File.OpenHandle(files["held"], FileMode.Open, FileAccess.Write, FileShare.None).Dispose();
        });

        Assert.Equal(3, attempts);
    }

    [Fact]
    public void What_stays_open_or_fails_otherwise_is_an_error()
    {
        using var holder = File.OpenHandle(files["held"], FileMode.Create, FileAccess.Write, FileShare.None);
        Assert.Throws<IOException>(
            () => DurableFile.RetryWhileHeld(() => File.OpenHandle(files["held"], FileMode.Open, FileAccess.Write, FileShare.None).Dispose()));
        var attempts = 0;

        Assert.Throws<FileNotFoundException>(() => DurableFile.RetryWhileHeld(() =>
        {
            attempts++;
            File.OpenHandle(files["not there"]).Dispose();
        }));

        Assert.Equal(1, attempts);
    }

    [Fact]
    public void What_is_missing_can_be_deleted() => DurableFile.Delete(files["not there"]);

    [Fact]
    public void A_folder_that_is_missing_cannot_be_flushed_and_that_is_said()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "on Windows the file system's journal keeps the names of a folder");

        var error = Assert.ThrowsAny<IOException>(() => DurableFile.FlushDirectory(files["not there"]));

        Assert.Contains(files["not there"], error.Message, StringComparison.Ordinal);
    }
}
