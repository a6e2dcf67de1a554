using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>A database with its stream in a store, made of the log that SQLite writes, and what the database was after each transaction.</summary>
internal sealed class StreamWorld : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);

    private readonly TempFolder files = new();
    private readonly SqliteConnection user;
    private readonly IdentityRing identities;
    private readonly BackupEncryption? encryption;
    private readonly FileEncryption? segmentKey;
    private readonly List<FollowedCommit> pending = [];
    private long readBytes = 32;
    private StreamDigest pendingFrom;

    /// <param name="location">The store; null for a folder.</param>
    /// <param name="isEncrypted">Whether backups and segments are encrypted.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    public StreamWorld(StoreLocation? location = null, bool isEncrypted = false, int pageSize = 1024)
    {
        Store = new StoreCatalog(
            location ?? new StoreLocation { Provider = CloudProvider.Directory, Container = files["store"] }, new StoreOptions(), TimeProvider.System);
        Store.RequireContainer(create: true, Stop);
        identities = IdentityRing.Empty;
        if (isEncrypted)
        {
            var key = BackupKeys.Create(files["key"], TimeProvider.System);
            encryption = BackupEncryption.To([key.Recipient]);
            segmentKey = FileEncryption.Create(encryption);
            identities = identities.WithFile(files["key"], Stop);
        }

        Databases.Create(Database, new DatabaseShape { JournalMode = JournalMode.Wal, PageSize = pageSize, AutoVacuum = AutoVacuum.Incremental, Rows = 200 });
        user = Databases.Open(Database);
        Databases.Execute(user, "PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)");
        Home = new BackupDirectory(files["backups"], TimeProvider.System);
        Stream = StreamStore.Open(Store.Location, Database, new StoreOptions());
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string Database => files["app.db"];

    public StoreCatalog Store { get; }

    public StreamStore Stream { get; }

    /// <summary>The backup directory in which the backups are made before they are sent.</summary>
    public BackupDirectory Home { get; }

    /// <summary>The SHA-256 of the database after each transaction.</summary>
    public Dictionary<long, string> Truth { get; } = [];

    public Dictionary<long, DateTimeOffset> Times { get; } = [];

    /// <summary>The time of all transactions from now on, as after a moment with a clock that was ahead; null if they have times of their own.</summary>
    public DateTimeOffset? Standing { get; set; }

    /// <summary>When the log was last read before the transactions from now on; null if right before.</summary>
    public DateTimeOffset? Earliest { get; set; }

    public List<string> Messages { get; } = [];

    public int Timeline { get; private set; } = 1;

    /// <summary>The stream that backups say they belong to.</summary>
    public string StreamId { get; set; } = "0123456789abcdef";

    /// <summary>The digest of the stream after the last transaction.</summary>
    public StreamDigest Digest { get; set; } = StreamDigest.New();

    public long Number { get; private set; }

    public long Transaction { get; private set; }

    public OperationContext Context => new(TimeProvider.System, told => Messages.Add(told is OperationMessage message ? message.Text : string.Empty), Stop)
    {
        Identities = identities,
    };

    public IdentityRing Identities => identities;

    public string this[string name] => files[name];

    /// <summary>Runs statements that make one transaction, which waits for its segment.</summary>
    public void Commit(string sql)
    {
        Databases.Execute(user, sql);
        pendingFrom = pending.Count == 0 ? Digest : pendingFrom;
        var commits = NewCommits();
        pending.AddRange(commits);
        Assert.Single(commits);
    }

    /// <summary>Makes transactions that no segment has.</summary>
    public void Miss(string sql)
    {
        Databases.Execute(user, sql);
        _ = NewCommits();
    }

    /// <summary>Puts what waits into one segment.</summary>
    /// <param name="most">The number of transactions that it takes; the others go on waiting.</param>
    public async Task<Segment> PutAsync(int most = int.MaxValue)
    {
        List<FollowedCommit> taken = [.. pending.Take(most)];
        var segment = Segment.Write(SegmentHeader.OfCommits(Timeline, Number + 1, PageSize, pendingFrom, taken), taken, segmentKey);
        await PutAsync(segment);
        pending.RemoveRange(0, taken.Count);
        pendingFrom = taken[^1].Digest;
        return segment;
    }

    /// <summary>Makes an ordinary backup and sends it, with its place in the stream.</summary>
    /// <param name="number">The last segment that it contains; null for the last one put.</param>
    /// <param name="strategy">Its kind.</param>
    public BackupMetadata BackUp(long? number = null, BackupStrategy strategy = BackupStrategy.Incremental)
    {
        var position = new StreamPosition(
            DatabaseKey.Of(Database), StreamId, Timeline, number ?? Number, Transaction, TimeOf(Transaction), Digest.Mark);
        var backup = CreateBackup.Run(
            Database, Home, new CreateBackupOptions { Strategy = strategy, Encryption = encryption, Verify = false, Metadata = position.ToEntries() }, Context);
        Assert.Equal(Truth.GetValueOrDefault(Transaction) ?? ImageHash.Of(user), Truth[Transaction] = ImageHash.Of(user));
        return SendBackup.Run(Home.Get(backup.Id), Home, Store, Context);
    }

    /// <summary>Makes and sends a backup that has no place in the stream.</summary>
    public void BackUpByHand()
    {
        var options = new CreateBackupOptions { Strategy = BackupStrategy.Full, Encryption = encryption, Verify = false };
        var backup = CreateBackup.Run(Database, Home, options, Context);
        _ = SendBackup.Run(Home.Get(backup.Id), Home, Store, Context);
    }

    /// <summary>Begins, or continues after missed transactions, with an ordinary backup.</summary>
    public async Task<BackupMetadata> BaseAsync(BaseReason reason, BackupStrategy strategy = BackupStrategy.Incremental)
    {
        var first = pending.Count > 0 ? throw new InvalidOperationException("Put what waits first.") : LastPut + 1;
        var before = Digest;
        Digest = StreamDigest.New();
        var backup = BackUp(Number + 1, strategy);
        await PutAsync(Segment.Write(
            new SegmentHeader
            {
                Kind = SegmentKind.Base,
                Timeline = Timeline,
                Number = Number + 1,
                FirstTransaction = first,
                LastTransaction = Transaction,
                Time = TimeOf(Transaction),
                PageSize = PageSize,
                PageCount = (uint)backup.PageCount!.Value,
                Previous = before,
                Digest = Digest,
                Reason = reason,
                BackupId = backup.Id,
                DatabasePath = Database,
            },
            [],
            segmentKey));
        return backup;
    }

    /// <summary>Ends the timeline; what is put next belongs to the next one.</summary>
    public async Task SealAsync()
    {
        await PutAsync(Segment.Write(
            new SegmentHeader
            {
                Kind = SegmentKind.Seal,
                Timeline = Timeline,
                Number = Number + 1,
                FirstTransaction = LastPut + 1,
                LastTransaction = LastPut,
                Time = TimeOf(Transaction),
                PageSize = PageSize,
                PageCount = 1,
                Previous = Digest,
                Digest = Digest,
                NextTimeline = Timeline + 1,
            },
            [],
            segmentKey));
        (Timeline, Number) = (Timeline + 1, 0);
    }

    public IReadOnlyList<BackupMetadata> Backups => Store.List(Stop).Backups;

    public StreamPlan PlanOf(long transaction) => StreamPlanner.OfTransaction(Store, Backups, transaction, Context);

    /// <summary>Restores by a plan, on a machine that has nothing but the store, and returns the SHA-256 of the database.</summary>
    public string Restored(StreamPlan plan)
    {
        var (file, home) = (files[Guid.NewGuid().ToString("N") + ".db"], new BackupDirectory(files[Guid.NewGuid().ToString("N")], TimeProvider.System));
        var source = new BackupSource(plan.Start, BackupCatalog.Of(Store, home));
        var result = RestoreBackup.Run(source, new RestoreOptions { Destination = file, Stream = plan }, Context);
        Assert.Equal((plan.Transaction, plan.Time), (result.RestoredTransaction, result.RestoredMoment));
        Assert.Equal(plan.Start.Id, result.Id);
        Assert.Empty(Directory.EnumerateFiles(home.Layout.StagingFolder, "*", SearchOption.AllDirectories));
        return ImageHash.Of(file);
    }

    public DateTimeOffset TimeOf(long transaction) => Times.TryGetValue(transaction, out var time) ? time : Start;

    public void Dispose()
    {
        user.Dispose();
        Stream.Dispose();
        Store.Dispose();
        files.Dispose();
    }

    private int PageSize => int.Parse(Databases.Scalar(user, "PRAGMA page_size"), System.Globalization.CultureInfo.InvariantCulture);

    private long LastPut { get; set; }

    private async Task PutAsync(Segment segment)
    {
        Assert.Equal(PutOutcome.Stored, await Stream.PutAsync(segment, Stop));
        (Number, LastPut) = (segment.Header.Number, segment.Header.LastTransaction);
    }

    /// <summary>Reads the transactions that SQLite has added to its log.</summary>
    private List<FollowedCommit> NewCommits()
    {
        var commits = new List<FollowedCommit>();
        var pages = new Dictionary<uint, byte[]>();
        using var log = new FileStream(Database + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var frame = new byte[24 + PageSize];
        log.Position = readBytes;
        while (log.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length)
        {
            readBytes += frame.Length;
            pages[BinaryPrimitives.ReadUInt32BigEndian(frame)] = frame[24..];
            if (BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) is var count and > 0)
            {
                Transaction++;
                Times[Transaction] = Standing ?? Start.AddMilliseconds(1000 * Transaction);
                FollowedPage[] written = [.. pages.Select(page => new FollowedPage(page.Key, page.Value))];
                Digest = Digest.After(count, written);
                commits.Add(new FollowedCommit(Transaction, Times[Transaction], Earliest ?? Times[Transaction], count, written, Digest));
                pages.Clear();
            }
        }

        Truth[Transaction] = ImageHash.Of(user);
        return commits;
    }
}
