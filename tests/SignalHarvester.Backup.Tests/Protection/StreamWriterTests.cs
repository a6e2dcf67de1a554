using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.TestSupport;
using Xunit;
using StreamWriter = SignalHarvester.Backup.Protection.StreamWriter;

namespace SignalHarvester.Backup.Tests.Protection;

public sealed class StreamWriterTests : IDisposable
{
    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    /// <summary>Of two transactions that came to light in one look, only the first had room in the last segment before a crash: the other is as old.</summary>
    [Fact]
    public void What_is_not_in_the_last_segment_was_committed_after_the_look_before_it_and_not_after_its_time()
    {
        var database = files["app.db"];
        var location = new StoreLocation { Provider = CloudProvider.Directory, Container = files["store"] };
        var directory = new BackupDirectory(files["backups"], TimeProvider.System);
        var folder = new ProtectionFolder(directory, database);
        using var running = folder.Lock();
        using var stream = StreamStore.Open(location, database, new StoreOptions());
        var looked = new DateTimeOffset(2026, 11, 30, 3, 0, 0, TimeSpan.Zero);
        FollowedPage[] pages = [new(2, new byte[4096])];
        var commit = new FollowedCommit(1, looked.AddHours(1), looked, 2, pages, default(StreamDigest).After(2, pages));
        _ = new StreamWriter(database, stream, folder, null).Write([new QueuedCommit(commit, new LogPlace(1, default, default), Seen: 0)]);

        var next = new StreamWriter(database, stream, folder, null);
        Assert.True(next.TryResume());
        Assert.Equal((looked, looked.AddHours(1)), (next.Earliest, next.Time));
    }
}
