using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>A disk that runs full is not made worse by a protection, and told.</summary>
public sealed class ProtectedDiskTests : IDisposable
{
    private const int Block = 4096;
    private const long Left = 5 << 20;

    private readonly TempFolder folder = new();
    private readonly Shbackup host = Shbackup.Start();
    private readonly Protected shop;

    public ProtectedDiskTests() => shop = new Protected(folder.Path, host);

    public void Dispose()
    {
        shop.Dispose();
        host.Dispose();
        folder.Dispose();
    }

    /// <param name="isProtected">Alone, the application must get along with what is left; else this would prove nothing.</param>
    /// <param name="goesOn">Whether it writes several times that while nobody follows it.</param>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task While_the_disk_of_the_database_is_nearly_full_its_log_begins_anew_as_if_it_were_alone(bool isProtected, bool goesOn)
    {
        using var disk = new Mount(folder["app"], mebibytes: 64);
        using var application = await Application.StartAsync(
            shop.Options with { Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 100"] });
        _ = await application.WorkAsync(10);
        _ = (await application.ExecuteAsync("CREATE TABLE bulk(b)")).Value;
        _ = (await application.ExecuteAsync(
            "INSERT INTO bulk WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100) SELECT randomblob(4000) FROM n")).Value;
        if (isProtected)
        {
            shop.Start();
            _ = await shop.AwaitStoredAsync();
        }

        var ballast = folder["app", "ballast"];
        Fill(ballast, Left);
        if (isProtected)
        {
            var waiting = await shop.AwaitAsync(status => status.State == "Waiting");
            Assert.Contains("its disk is nearly full", waiting.Problem, StringComparison.Ordinal);
            Assert.Contains("its disk is nearly full", shop.Said, StringComparison.Ordinal);
        }

        for (var written = 0L; goesOn && written < 4 * Left; written += 100 * Block)
        {
            _ = (await application.ExecuteAsync("UPDATE bulk SET b = randomblob(4000)")).Value;
        }

        if (isProtected)
        {
            File.Delete(ballast);
            Assert.Equal(goesOn ? 1 : 0, (await shop.AwaitStoredAsync()).Gaps);
            Assert.Equal(goesOn, shop.Said.Contains("one step of its stream", StringComparison.Ordinal));
            _ = await application.WorkAsync(10);
            _ = await shop.AwaitStoredAsync();
            await application.EndAsync();
            await shop.StopAsync();
            await shop.AssertNewestAsync();
        }
    }

    [Fact]
    public async Task A_full_disk_of_the_backup_directory_holds_up_the_stream_but_not_the_application_and_loses_nothing()
    {
        using var disk = new Mount(folder.Folder("backups"), mebibytes: 16);
        using var application = await Application.StartAsync(shop.Options);
        shop.Start();
        _ = await shop.AwaitStoredAsync();
        _ = await application.WorkAsync(10);
        _ = await shop.AwaitStoredAsync();
        var stored = shop.Segments.Count;

        var ballast = folder["backups", "ballast"];
        Fill(ballast, left: 0);
        Assert.Equal(0, (await application.WorkAsync(10)).Refused);
        await WaitAsync(() => shop.Said.Contains("so its transactions wait: No space left", StringComparison.Ordinal));
        Assert.Equal(0, (await application.WorkAsync(10)).Refused);
        Assert.Equal(stored, shop.Segments.Count);
        File.Delete(ballast);
        Assert.Equal(0, (await shop.AwaitStoredAsync()).Gaps);
        await application.EndAsync();
        await shop.StopAsync();
        await shop.AssertNewestAsync();
    }

    /// <summary>Fills the disk of a new file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="left">What stays free.</param>
    private static void Fill(string path, long left)
    {
        using var file = File.Create(path, bufferSize: 0);
        var disk = new DriveInfo(Path.GetDirectoryName(path)!);
        var block = new byte[Block];
        while (disk.AvailableFreeSpace > left)
        {
            file.Write(block);
        }
    }

    private static async Task WaitAsync(Func<bool> isSo)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            await Task.Delay(20, hang.Token);
        }
    }
}
