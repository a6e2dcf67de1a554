using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Cloud.Tests.Proxy;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Protection;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.S3;

/// <summary>Continuous protection to a bucket, on a way that has faults.</summary>
public sealed class S3ProtectionTests(CephServer ceph) : IDisposable
{
    private const string Conflict = "<Error><Code>ConditionalRequestConflict</Code><Message>Another request is on its way.</Message></Error>";

    private readonly TempFolder folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Database => folder["app.db"];

    private ApplicationOptions Options => new() { DatabasePath = Database };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_segment_whose_answer_is_lost_or_refused_is_stored_once_and_is_our_own()
    {
        await using var proxy = new FaultProxy(await ceph.AddressAsync());
        using var store = await OpenAsync(proxy.Address);
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        var before = protecting.AwaitStored();
        foreach (var (fault, times) in ((Fault, int)[])[(Fault.DropResponse(0), 1), (Fault.Answer(409, Conflict), 1), (Fault.DropResponse(0), 30)])
        {
            proxy.Inject(fault, times, IsSegment);
            _ = await application.WorkAsync(10);
            if (times > 1)
            {
                // More than one call tries again: now nobody but the protection does.
                _ = protecting.Await(status => status.State == ProtectionState.StoreUnavailable);
                proxy.Heal();
            }

            var after = protecting.AwaitStored();
            Assert.Equal((0L, 0L), (proxy.Heal(), after.Gaps));
            Assert.InRange(after.Segment, before.Segment + 1, long.MaxValue);
            before = after;
        }

        await application.EndAsync();
        before = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
        var numbers = (await SegmentsAsync(store)).Select(segment => segment.Name.Number);
        Assert.Equal(Enumerable.Range(1, (int)before.Segment).Select(number => (long)number), numbers);
        AssertNewest(store);
    }

    [Fact]
    public async Task A_number_that_another_writer_has_taken_ends_it_and_is_not_overwritten()
    {
        await using var proxy = new FaultProxy(await ceph.AddressAsync());
        using var store = await OpenAsync(proxy.Address);
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(10);
        var status = protecting.AwaitStored();

        // The other one's is there, and the first answer about it is lost on the way.
        using var stream = StreamStore.Open(store.Location, Database, new StoreOptions());
        var last = (await SegmentsAsync(store))[^1];
        var seal = Segment.Write(
            SegmentHeader.SealAfter(await stream.ReadHeaderAsync(last, IdentityRing.Empty, Stop), sealer: 1), [], encryption: null);
        Assert.Equal(PutOutcome.Stored, await stream.PutAsync(seal, Stop));
        proxy.Inject(Fault.DropResponse(0), where: IsSegment);
        _ = await application.WorkAsync(10);
        Assert.Equal(BackupErrorId.StreamFenced, protecting.End()!.ErrorId);
        Assert.Equal(0, proxy.Heal());
        Assert.Equal((ProtectionState.Fenced, status.Segment), (protecting.Status.State, protecting.Status.Segment));
        Assert.Equal(seal.Sha256, (await stream.FindAsync(seal.Name, Stop))!.Info.Sha256);
        Assert.Equal(seal.Name, (await SegmentsAsync(store))[^1].Name);
    }

    private static bool IsSegment(MessageHead head) => head.Method == "PUT" && head.Target.Contains("/seg_", StringComparison.Ordinal);

    private async Task<StoreCatalog> OpenAsync(Uri address) =>
        new(await ceph.NewLocationAsync() with { Endpoint = address }, new StoreOptions(), TimeProvider.System);

    private async Task<List<StoredSegment>> SegmentsAsync(StoreCatalog store)
    {
        using var stream = StreamStore.Open(store.Location, Database, new StoreOptions());
        var segments = new List<StoredSegment>();
        await foreach (var segment in stream.ListAsync(timeline: null, 1, Stop))
        {
            segments.Add(segment);
        }

        return segments;
    }

    private void AssertNewest(StoreCatalog store)
    {
        var context = new OperationContext(TimeProvider.System, _ => { }, Stop);
        var plan = StreamPlanner.AtMoment(store, BackupChain.WithDepths(store.List(Stop).Backups), DateTimeOffset.UtcNow.AddDays(1), context)!;
        var empty = new BackupDirectory(folder["empty"], TimeProvider.System);
        var options = new RestoreOptions { Destination = folder["restored.db"], Stream = plan, SafetyDirectory = empty };
        _ = BackupEngine.Restore(new BackupSource(plan.Start, BackupCatalog.Of(store, empty)), options, context);
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(folder["restored.db"]));
    }
}
