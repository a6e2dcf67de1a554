using System.Globalization;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Storage;

/// <summary>What Linux says of files that nobody here has open.</summary>
public sealed class FileNewsTests : IDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();
    private readonly FileNews news;

    public FileNewsTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "inotify is Linux's");
        news = FileNews.TryOpen()!;
    }

    public void Dispose()
    {
        news.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("written")]
    [InlineData("replaced by a rename")]
    [InlineData("moved")]
    [InlineData("deleted while somebody has it open")]
    public void What_happens_to_a_file_is_heard(string what)
    {
        var (file, other) = (Make("a file with ' and ü"), Make("other"));
        var (number, untouched) = (news.Listen(file)!.Value, news.Listen(other)!.Value);
        Assert.NotEqual(number, untouched);
        Assert.Empty(news.Wait(Silence));
        using var open = File.OpenRead(file);
        switch (what)
        {
            case "written":
                File.AppendAllText(file, "more");
                break;
            case "moved":
                File.Move(file, folder["elsewhere"]);
                break;
            case "deleted while somebody has it open":
                File.Delete(file);
                break;
            default:
                File.Move(Make("third"), file, overwrite: true);
                break;
        }

        Assert.Equal([number], news.Wait(Patience));
    }

    [Fact]
    public void Reading_is_not_heard_nor_what_is_forgotten()
    {
        var (file, forgotten) = (Make("file"), Make("forgotten"));
        _ = news.Listen(file);
        news.Forget(news.Listen(forgotten)!.Value);
        _ = File.ReadAllText(file);
        File.AppendAllText(forgotten, "more");
        Assert.Empty(news.Wait(Silence));
    }

    [Fact]
    public void A_file_that_is_not_there_has_no_number() => Assert.Null(news.Listen(folder["missing"]));

    [Fact]
    public void More_than_the_system_keeps_is_news_of_any_file()
    {
        var kept = int.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_queued_events"), CultureInfo.InvariantCulture);
        var files = new[] { Make("a"), Make("b") };
        var numbers = files.Select(file => news.Listen(file)).ToList();
        using (var a = new FileStream(files[0], FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        using (var b = new FileStream(files[1], FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            // One after the other, as the system tells only once of two that follow each other on one file.
            for (var i = 0; i <= kept; i++)
            {
                (i % 2 == 0 ? a : b).WriteByte(1);
            }
        }

        var heard = new HashSet<int>();
        while (news.Wait(Silence) is { Count: > 0 } some)
        {
            heard.UnionWith(some);
        }

        Assert.Contains(FileNews.AnyFile, heard);
        Assert.Superset(numbers.OfType<int>().ToHashSet(), heard);
    }

    [Fact]
    public async Task Waiting_can_be_ended()
    {
        var waiting = Task.Run(() => news.Wait(Patience));
        news.Wake();
        Assert.Empty(await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Empty(news.Wait(Patience));
    }

    private string Make(string name)
    {
        File.WriteAllText(folder[name], "content");
        return folder[name];
    }
}
