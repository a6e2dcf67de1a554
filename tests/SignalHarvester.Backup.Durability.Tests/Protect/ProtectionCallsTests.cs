using System.Globalization;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>What a protection asks of the system while an application works, by the system's own account.</summary>
public sealed partial class ProtectionCallsTests
{
    // https://sqlite.org/walformat.html#wal_locks: the write lock, and that of checkpoints, in the -shm file.
    private const int WriteLock = 120;
    private const int CheckpointLock = 121;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task It_writes_nothing_to_the_log_and_never_takes_the_write_lock()
    {
        using var folder = new TempFolder();
        using var application = await Application.StartAsync(new ApplicationOptions { DatabasePath = folder["app.db"] });
        _ = await application.WorkAsync(5);
        using var other = Shbackup.Start();
        using var host = Shbackup.Start();
        _ = await host.AskAsync("$null = Get-Command Start-SHBackupProtection");
        using var strace = await Strace.AttachAsync(
            host, "-y", "-o", folder["calls"], "-e", "trace=fcntl,write,writev,pwrite64,pwritev,ftruncate,fallocate");
        var names = $"{Shbackup.Quote(folder["app.db"])} -BackupDirectory {Shbackup.Quote(folder["backups"])}";
        var protection = host.SendAsync($"Start-SHBackupProtection {names} -To {Shbackup.Quote(folder["store"])} -CreateContainer -ThisProcess *> $null");
        using var done = new CancellationTokenSource();

        // It goes on working until the protection has ended: in a rest of some seconds the log may be emptied.
        var work = Task.Run(() => WorkAsync(application, done.Token), TestContext.Current.CancellationToken);
        _ = await other.AskAsync(
            $"do {{ Start-Sleep -Milliseconds 100 }} until ((Get-SHBackupProtection {names} -ErrorAction Ignore).StoredTransaction -ge 20)");
        _ = await other.AskAsync($"$null = Stop-SHBackupProtection {names}");
        Assert.Empty(await protection);
        await done.CancelAsync();
        Assert.Equal(0, await work);
        host.Kill();
        await strace.WaitForExitAsync(TestContext.Current.CancellationToken);

        var calls = await File.ReadAllLinesAsync(folder["calls"], TestContext.Current.CancellationToken);
        var locked = calls.Select(call => ExclusiveLock().Match(call)).Where(call => call.Success).ToList();
        Assert.Contains(locked, call => Covers(call, CheckpointLock));
        Assert.DoesNotContain(locked, call => Covers(call, WriteLock));
        Assert.Contains(calls, call => Write().Match(call) is { Success: true } written && written.Groups["file"].Value == "app.db");
        Assert.DoesNotContain(calls, call => Write().Match(call) is { Success: true } written && written.Groups["file"].Value == "app.db-wal");
        await application.EndAsync();
    }

    private static async Task<int> WorkAsync(Application application, CancellationToken done)
    {
        var refused = 0;
        while (!done.IsCancellationRequested)
        {
            refused += (await application.WorkAsync(3)).Refused;
            await Task.Delay(Pause, done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return refused;
    }

    private static bool Covers(Match call, int place)
    {
        var (start, length) = (Number("start"), Number("length"));
        return start <= place && place < start + length;

        int Number(string name) => int.Parse(call.Groups[name].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"fcntl\(\d+<[^>]*/app\.db-shm>, F_SETLKW?, \{l_type=F_WRLCK, l_whence=SEEK_SET, l_start=(?<start>\d+), l_len=(?<length>\d+)")]
    private static partial Regex ExclusiveLock();

    [GeneratedRegex(@"(write|truncate|fallocate)\w*\(\d+<[^>]*/(?<file>app\.db[^>]*)>")]
    private static partial Regex Write();
}
