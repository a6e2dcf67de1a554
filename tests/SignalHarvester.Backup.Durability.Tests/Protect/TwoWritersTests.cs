using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>A machine and its clone, both alive, with one stream.</summary>
public sealed class TwoWritersTests
{
    [Fact]
    public async Task Of_two_that_write_one_stream_one_stops_and_the_other_goes_on_and_nothing_is_overwritten()
    {
        using var folder = new TempFolder();
        using var host = Shbackup.Start();
        var (root, clone) = (folder.Folder("machine"), folder["clone"]);
        using var first = new Protected(root, host);
        using var application = await Application.StartAsync(first.Options);
        first.Start("-NoCheckpoint");
        _ = await first.AwaitStoredAsync();
        _ = await application.WorkAsync(10);
        _ = await first.AwaitStoredAsync();
        _ = Tool.Require("cp").Run("-r", root, clone).EnsureSuccess();

        // Where it runs, the clone is in the machine's place, and both have the machine's store.
        const string Swap = "mount --bind \"$1/store\" \"$2/store\" && mount --rbind \"$2\" \"$1\" && shift 2 && exec \"$@\"";
        var mounted = Tool.Require("unshare").Run("-m", "sh", "-c", Swap, "sh", root, clone, "true");
        Assert.SkipUnless(mounted.ExitCode == 0, $"may not mount a file system: {mounted.Error.Trim()}");
        using var second = new Protected(clone, host, root);
        second.Start("-NoCheckpoint", ["unshare", "-m", "sh", "-c", Swap, "sh", root, clone]);
        _ = await second.AwaitStoredAsync();
        using var other = await Application.StartAsync(second.Options with { Seed = 5 });
        var before = first.Segments;
        await Task.WhenAll(application.WorkAsync(10), other.WorkAsync(10));
        var ended = await Task.WhenAny(first.EndAsync(), second.EndAsync());
        var (winner, loser, alive, rest) = first.Status.State == "Fenced" ? (second, first, other, application) : (first, second, application, other);
        Assert.Contains("ERROR StreamFenced,", await ended, StringComparison.Ordinal);
        Assert.Contains("Another writer has put 'seg_", loser.Status.Problem, StringComparison.Ordinal);
        Assert.Equal("Fenced", loser.Status.State);

        var fenced = first.Segments;
        Assert.Equal(0, (await rest.WorkAsync(5)).Refused);
        _ = await alive.WorkAsync(10);
        _ = await winner.AwaitStoredAsync();
        await alive.EndAsync();
        await rest.EndAsync();
        await winner.StopAsync();
        var after = first.Segments;
        Assert.All(before.Concat(fenced), one => Assert.Equal(one.Value, after[one.Key]));
        Assert.Equal(Enumerable.Range(1, after.Count).Select(number => Protected.NameOf(number)), after.Keys);
        await winner.AssertNewestAsync();
    }
}
