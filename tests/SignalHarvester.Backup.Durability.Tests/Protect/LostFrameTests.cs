using System.Runtime.InteropServices;
using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>A frame goes missing from a log in such a way that SQLite itself does not notice.</summary>
public sealed class LostFrameTests
{
    [Fact]
    public async Task A_frame_that_vanished_from_the_log_between_two_looks_is_a_gap_that_is_told_and_mended()
    {
        using var folder = new TempFolder();
        using var host = Shbackup.Start();
        using var shop = new Protected(folder.Path, host);
        using var application = await Application.StartAsync(shop.Options);
        _ = (await application.ExecuteAsync("CREATE TABLE one(n)")).Value;
        shop.Start("-NoCheckpoint");
        _ = await shop.AwaitStoredAsync();
        _ = (await application.ExecuteAsync("INSERT INTO one VALUES (0)")).Value;
        _ = await application.WorkAsync(10);
        _ = await shop.AwaitStoredAsync();
        shop.Signal("STOP");
        _ = (await application.ExecuteAsync("UPDATE one SET n = 1")).Value;
        _ = (await application.ExecuteAsync("UPDATE one SET n = 2")).Value;
        LoseLastButOne(shop.Database);
        shop.Signal("CONT");
        _ = await shop.AwaitAsync(status => status.Gaps == 1);
        Assert.Contains("does not continue the one before", shop.Said, StringComparison.Ordinal);
        Assert.Contains("one step of its stream", shop.Said, StringComparison.Ordinal);
        _ = await application.WorkAsync(10);
        Assert.Equal(1, (await shop.AwaitStoredAsync()).Gaps);
        await application.EndAsync();
        await shop.StopAsync();
        await shop.AssertNewestAsync();
    }

    /// <summary>Puts the last frame, of the same page, in the place of the one before, and has the index end there.</summary>
    private static void LoseLastButOne(string database)
    {
        using var log = File.Open(database + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        using var index = File.Open(database + "-shm", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[48];
        index.ReadExactly(header);
        var words = MemoryMarshal.Cast<byte, uint>(header.AsSpan());
        const int Frame = 24 + 4096;
        var last = new byte[Frame];
        log.Position = 32 + ((words[4] - 1) * Frame);
        log.ReadExactly(last);
        log.Position -= 2 * Frame;
        log.Write(last);
        words[4]--;

        // The checksum of the header.
        (words[10], words[11]) = (0, 0);
        for (var i = 0; i < 10; i += 2)
        {
            words[10] += words[i] + words[11];
            words[11] += words[i + 1] + words[10];
        }

        index.Position = 0;
        index.Write(header);
        index.Write(header);
    }
}
