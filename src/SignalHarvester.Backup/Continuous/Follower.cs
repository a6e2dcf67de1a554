using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous;

/// <summary>
/// What is known of a database's transactions: the ones that wait for their segments, and the pages that changed since the last
/// ordinary backup. The holder fills it on one thread; others take from it.
/// </summary>
/// <param name="clock">The clock.</param>
/// <param name="room">Bytes of pages that may wait. If there is more, an ordinary backup of the changed pages takes their place.</param>
/// <param name="noteGap">Keeps, over the end of the process, why a backup must mend a gap; called with null when one has.</param>
internal sealed class Follower(TimeProvider clock, long room, Action<string?> noteGap) : ICommitSink, IDisposable
{
    private readonly Lock gate = new();
    private readonly LinkedList<QueuedCommit> queue = [];
    private readonly SemaphoreSlim wake = new(0);
    private PageSet changed = new(1 << 10);
    private PageSet? inBackup;
    private string? changedSince;
    private long queuedBytes;
    private uint pageCount;
    private long lastCommit = clock.GetTimestamp();
    private int epoch;
    private int describedEpoch;
    private long? neededSince;
    private long looked;

    /// <summary>The thread that looks holds it while it does; a backup holds it while it pins its snapshot.</summary>
    public Lock Gate => gate;

    /// <summary>The holder; null while the database cannot be held. Only under <see cref="Gate"/>.</summary>
    public LogHolder? Holder { get; set; }

    /// <summary>The number of the last transaction that was read.</summary>
    public long Transaction { get; private set; }

    /// <summary>When that was seen.</summary>
    public DateTimeOffset Time { get; private set; }

    /// <summary>The digest of the stream there; without a meaning while it must continue from an ordinary backup.</summary>
    public StreamDigest Digest { get; private set; }

    /// <summary>The moment up to which everything that was committed is read, in UTC and whole milliseconds; null if that is not known.</summary>
    public DateTimeOffset? Looked
    {
        get => Interlocked.Read(ref looked) is var ticks and > 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Interlocked.Exchange(ref looked, value is { } time ? Milliseconds(time).UtcTicks : 0);
    }

    /// <summary>Why the stream must continue from an ordinary backup; null if it need not.</summary>
    public BaseReason? Needed { get; private set; }

    /// <summary>That in words, as a clause.</summary>
    public string? NeededWhy { get; private set; }

    /// <summary>Gaps since the start.</summary>
    public long Gaps { get; private set; }

    /// <summary>Waits until there is something to ship, or a while.</summary>
    public Task<bool> WaitAsync(TimeSpan longest, CancellationToken cancellation) => wake.WaitAsync(longest, cancellation);

    /// <summary>Ends that wait.</summary>
    public void Wake()
    {
        if (wake.CurrentCount == 0)
        {
            wake.Release();
        }
    }

    /// <summary>Continues where an earlier process ended.</summary>
    public void Resume(long transaction, DateTimeOffset time, StreamDigest digest)
    {
        Transaction = transaction;
        Time = time;
        Digest = digest;
    }

    /// <inheritdoc/>
    public CommitCollector Begin() => new(Needed is null ? room - queuedBytes : 0);

    /// <inheritdoc/>
    public void Accept(CommitCollector commits)
    {
        lock (gate)
        {
            var seen = clock.GetTimestamp();
            lastCommit = seen;
            Time = Now();
            var earliest = Looked is { } known && known < Time ? known : Time;
            foreach (var page in commits.Changed)
            {
                Change(page);
            }

            foreach (var commit in commits.Commits)
            {
                Transaction++;

                // A page that the database grew by need not be in the log, if nothing is on it.
                for (var page = pageCount + 1; pageCount != 0 && page <= commit.PageCount; page++)
                {
                    Change(page);
                }

                pageCount = commit.PageCount;
                if (Needed is null && commits.HasPages)
                {
                    Digest = Digest.After(commit.PageCount, commit.Pages);
                    var queued = new QueuedCommit(new FollowedCommit(Transaction, Time, earliest, commit.PageCount, commit.Pages, Digest), commit.End, seen);
                    queue.AddLast(queued);
                    queuedBytes += queued.Bytes;
                }
            }

            if (Needed is null && !commits.HasPages)
            {
                Need(BaseReason.Bulk, "more was written than has room in memory until it is stored");
            }
        }

        Wake();
    }

    /// <inheritdoc/>
    public void Lost(string reason)
    {
        lock (gate)
        {
            Need(BaseReason.Gap, reason);
        }

        Wake();
    }

    /// <summary>
    /// Lets the stream continue from an ordinary backup. What was read before a gap waits on, to be stored first: the database that had it may be gone,
    /// and then no backup has it.
    /// </summary>
    /// <param name="reason">Why.</param>
    /// <param name="why">That in words, as a clause.</param>
    /// <param name="knowsChanges">
    /// Whether it is known all the same which pages the transactions since the last ordinary backup have changed: to judge what differs, not as all that does.
    /// </param>
    public void Need(BaseReason reason, string why, bool knowsChanges = false)
    {
        lock (gate)
        {
            if (Needed is null or BaseReason.Bulk && reason is BaseReason.Gap or BaseReason.Replaced or BaseReason.Takeover)
            {
                // Nobody knows how many there were: they count as one, and so does what is missed until the backup is made.
                Transaction++;
                Gaps += reason == BaseReason.Takeover ? 0 : 1;
            }

            if (reason != BaseReason.Bulk)
            {
                Time = Now();
                changedSince = knowsChanges ? changedSince : null;
                epoch += knowsChanges ? 0 : 1;
            }

            neededSince ??= queue.First?.Value.Seen ?? clock.GetTimestamp();
            if (Needed is null or BaseReason.Bulk)
            {
                Needed = reason;
                NeededWhy = why;
            }

            if (reason is BaseReason.Gap or BaseReason.Replaced)
            {
                noteGap(why);
            }
            else
            {
                Clear();
            }
        }

        Wake();
    }

    /// <summary>Returns the transactions for the next segment, at most so many bytes of pages but one at least. They stay until they are confirmed.</summary>
    public IReadOnlyList<QueuedCommit> Peek(long bytes)
    {
        lock (gate)
        {
            var taken = new List<QueuedCommit>();
            foreach (var commit in queue)
            {
                bytes -= commit.Bytes;
                if (taken.Count > 0 && bytes < 0)
                {
                    break;
                }

                taken.Add(commit);
            }

            return taken;
        }
    }

    /// <summary>Forgets the transactions up to one, which are stored.</summary>
    public void Confirm(long transaction)
    {
        lock (gate)
        {
            while (queue.First is { } first && first.Value.Commit.Number <= transaction)
            {
                queuedBytes -= first.Value.Bytes;
                queue.RemoveFirst();
            }
        }
    }

    /// <summary>The age of the oldest change that is not stored, even if only a backup will have it; zero if all are.</summary>
    public TimeSpan Lag
    {
        get
        {
            lock (gate)
            {
                return (neededSince ?? queue.First?.Value.Seen) is { } since ? clock.GetElapsedTime(since) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>The time since the last commit was read.</summary>
    public TimeSpan Quiet
    {
        get
        {
            lock (gate)
            {
                return clock.GetElapsedTime(lastCommit);
            }
        }
    }

    /// <summary>The stream is kept to continue from a backup. If it needs none again since, no gap is left.</summary>
    public void BaseKept()
    {
        lock (gate)
        {
            if (Needed is null)
            {
                noteGap(null);
            }
        }
    }

    /// <summary>The backup from which the stream continues is in the store.</summary>
    public void BaseStored()
    {
        lock (gate)
        {
            neededSince = Needed is null ? null : neededSince;
        }
    }

    /// <summary>The oldest transaction that waits; null if none does.</summary>
    public QueuedCommit? Oldest
    {
        get
        {
            lock (gate)
            {
                return queue.First?.Value;
            }
        }
    }

    /// <summary>
    /// Reads on to a pinned snapshot and describes it. Under <see cref="Gate"/>, which was held while it was pinned, with a look before.
    /// </summary>
    /// <param name="snapshot">The snapshot; null if its log is empty.</param>
    /// <param name="pages">Pages of the database in it.</param>
    /// <param name="isBase">Whether the stream continues from the backup of this snapshot.</param>
    /// <returns>Null if the snapshot cannot be placed in the stream at this moment.</returns>
    public FollowedSnapshot? Describe(WalIndexHeader? snapshot, long pages, bool isBase)
    {
        if (Holder is null || !Holder.ReadTo(snapshot) || (Needed is not null && !isBase))
        {
            return null;
        }

        if (isBase)
        {
            Needed = null;
            NeededWhy = null;
            Clear();
            Digest = StreamDigest.New();
        }

        TakeBack();
        var known = changedSince is null ? null : changed.Pages().ToList();
        inBackup = changed;
        changed = new PageSet(inBackup.PageCount);
        describedEpoch = epoch;
        pageCount = (uint)pages;
        return new FollowedSnapshot(Transaction, Time, pageCount, Holder.PageSize, LogPlace.Of(Holder.Position), Holder.RestMark, Digest, Looked,
            changedSince, known);
    }

    /// <summary>The backup of the last described snapshot is published: later changes are counted from it.</summary>
    public void Published(string id)
    {
        lock (gate)
        {
            inBackup = null;
            changedSince = epoch == describedEpoch ? id : null;
        }
    }

    /// <summary>The backup of the last described snapshot was not made.</summary>
    /// <param name="reason">Why the stream still has to continue from one; null if it need not.</param>
    /// <param name="why">That in words.</param>
    public void Failed(BaseReason? reason, string? why)
    {
        lock (gate)
        {
            TakeBack();
            if (reason is not null)
            {
                // They continue from the backup that there is not.
                Clear();
                NeededWhy = Needed is null ? why : NeededWhy;
                Needed ??= reason;
            }
        }
    }

    /// <summary>Whether anything changed since the last ordinary backup, as far as is known.</summary>
    public bool HasChanges
    {
        get
        {
            lock (gate)
            {
                return changed.Count > 0;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => wake.Dispose();

    private void Clear()
    {
        queue.Clear();
        queuedBytes = 0;
    }

    private DateTimeOffset Now()
    {
        var now = Milliseconds(clock.GetUtcNow());
        return now > Time ? now : Time;
    }

    private static DateTimeOffset Milliseconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());

    /// <summary>Counts the pages of a backup that was not made as changed again.</summary>
    private void TakeBack()
    {
        foreach (var page in inBackup?.Pages() ?? [])
        {
            Change((uint)page);
        }

        inBackup = null;
    }

    private void Change(uint page)
    {
        changed = changed.WithRoom(page);
        changed.Add(page);
    }
}
