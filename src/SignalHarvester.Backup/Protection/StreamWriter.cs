using System.Globalization;
using System.Security.Cryptography;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Writes the segments of a stream, one after the other: each is kept here, durably, before it is put into the store, and put with the
/// same bytes until it has arrived or another writer's is found in its place.
/// </summary>
internal sealed class StreamWriter
{
    private readonly string databasePath;
    private readonly StreamStore store;
    private readonly ProtectionFolder folder;
    private readonly FileEncryption? encryption;
    private SavedPlace? saved;
    private Segment? unconfirmed;

    /// <summary>Makes a writer, which does nothing yet.</summary>
    /// <param name="databasePath">The database.</param>
    /// <param name="store">Where its stream is.</param>
    /// <param name="folder">Where its place is kept.</param>
    /// <param name="encryption">The encryption; null for none.</param>
    public StreamWriter(string databasePath, StreamStore store, ProtectionFolder folder, BackupEncryption? encryption)
    {
        this.databasePath = databasePath;
        this.store = store;
        this.folder = folder;
        this.encryption = encryption is null ? null : FileEncryption.Create(encryption);
    }

    /// <summary>The stream, by its random name.</summary>
    public string Stream { get; private set; } = NewStream();

    /// <summary>The timeline.</summary>
    public int Timeline { get; private set; } = 1;

    /// <summary>The last segment of the timeline; 0 before the first.</summary>
    public long Number { get; private set; }

    /// <summary>The last transaction that is stored; -1 before the first segment.</summary>
    public long Transaction { get; private set; } = -1;

    /// <summary>Its time.</summary>
    public DateTimeOffset Time { get; private set; }

    /// <summary>What is not in the last segment was committed after this moment; null if nothing is known.</summary>
    public DateTimeOffset? Earliest => saved?.Earliest;

    /// <summary>The digest of the stream there.</summary>
    public StreamDigest Digest { get; private set; }

    /// <summary>
    /// The last transaction that can be restored from the store; -1 if there is none, or it is not known. Nothing after a base can be, before
    /// the backup that it names is there.
    /// </summary>
    public long Restorable => UnsentBackup is null ? Transaction : saved!.Restorable ?? -1;

    /// <summary>The place in the log up to which the stream goes; null if the log was empty then.</summary>
    public LogPlace? Place => saved?.Log is { } log ? LogPlace.Of(log) : null;

    /// <summary>The database file then, if it had everything.</summary>
    public FileMark? Rest => saved?.Rest;

    /// <summary>The backup from which the stream continues, if it is not known to be in the store.</summary>
    public string? UnsentBackup => saved?.Backup;

    /// <summary>Continues where this machine has written last, before the store is asked.</summary>
    /// <returns>False if nothing is known of a stream in this store.</returns>
    /// <exception cref="BackupException">DirectoryNotWritable, WriteFailed: the place cannot be read.</exception>
    public bool TryResume()
    {
        if (folder.Load(out _) is not { } place || !IsOfStore(place))
        {
            return false;
        }

        saved = place;
        Resume(place);
        return true;
    }

    /// <summary>
    /// Finds the end of the stream, and makes sure that it is ours: what this machine wrote last, and nothing after it. With a takeover, another
    /// writer's stream is sealed, and a new timeline begins.
    /// </summary>
    /// <param name="takesOver">Whether another writer's stream is taken over.</param>
    /// <param name="context">Messages, cancellation, and the secrets for the last segment of an encrypted stream that is taken over.</param>
    /// <returns>Why the stream must begin with an ordinary backup; null if it goes on where it ended.</returns>
    /// <exception cref="BackupException">StreamNotOurs; the Cloud… errors.</exception>
    public async Task<BaseReason?> ConnectAsync(bool takesOver, OperationContext context)
    {
        var cancellation = context.Cancellation;
        saved = folder.Load(out var pending);
        if (saved is not null && !IsOfStore(saved))
        {
            context.Verbose($"The stream of '{databasePath}' went to '{saved.Store}' before. In '{store.Location}' it is another one.");
            saved = null;
        }

        var isEmptied = false;
        if (saved is { Pending: { } name, PendingSha256: { } sha256 } && SegmentName.TryParse(name) is { } unsure)
        {
            // Not known to have arrived: the same bytes again. If neither it nor the one before is there, the store was emptied.
            isEmptied = unsure.Number > 1
                && await store.FindAsync(unsure, cancellation).ConfigureAwait(false) is null
                && await store.FindAsync(unsure with { Number = unsure.Number - 1 }, cancellation).ConfigureAwait(false) is null;
            var segment = new Segment(unsure, null!, pending, sha256);
            if (await store.PutAsync(segment, cancellation).ConfigureAwait(false) == PutOutcome.Taken)
            {
                return await TakeOverAsync(takesOver, $"it has another segment '{name}' than the one that this machine wrote", context).ConfigureAwait(false);
            }
        }

        if (saved is null)
        {
            var last = await store.LastAsync(timeline: null, cancellation).ConfigureAwait(false);
            return last is null ? Begin() : await TakeOverAsync(
                takesOver, $"it has segments up to '{last.Name}', but nothing is known of them here", context).ConfigureAwait(false);
        }

        Resume(saved);
        if (await FindAsync(Number + 1, cancellation).ConfigureAwait(false) is { } next)
        {
            return await TakeOverAsync(takesOver, $"another writer has put '{next.Name}' after the last one of this machine", context).ConfigureAwait(false);
        }

        if (isEmptied || await FindAsync(Number, cancellation).ConfigureAwait(false) is null)
        {
            context.Warn($"The last segment of '{databasePath}' is not in '{store.Location}' any more, so the stream continues from a new backup.");
            return BaseReason.Gap;
        }

        return null;
    }

    /// <summary>
    /// Puts the segment that was written last, unless it is known to have arrived. If the wait for it is ended, the next call puts it again.
    /// </summary>
    /// <param name="put">Puts the segment until it is known whether it has arrived.</param>
    /// <returns>False if there is none.</returns>
    /// <exception cref="BackupException">StreamFenced.</exception>
    public async Task<bool> ConfirmAsync(Func<Segment, Task<PutOutcome>> put)
    {
        if (unconfirmed is not { } segment)
        {
            return false;
        }

        if (await put(segment).ConfigureAwait(false) == PutOutcome.Taken)
        {
            throw new BackupException(
                BackupErrorId.StreamFenced, segment.Name.ToString(),
                $"Another writer has put '{segment.Name}' into '{store.Location}', so this one has stopped: it overwrites nothing. Find out which machine protects '{databasePath}' now, a clone or a restored copy perhaps. If it must be this one, stop the other and start this one with -TakeOver.");
        }

        unconfirmed = null;
        (Number, Transaction, Time, Digest) = (segment.Header.Number, segment.Header.LastTransaction, segment.Header.Time, segment.Header.Digest);
        return true;
    }

    /// <summary>Keeps transactions as the next segment, which <see cref="ConfirmAsync"/> puts.</summary>
    /// <param name="commits">The transactions.</param>
    /// <exception cref="IOException">It cannot be kept; then nothing has happened.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public Segment Write(IReadOnlyList<QueuedCommit> commits)
    {
        var pageSize = commits[0].Commit.Pages[0].Content.Length;
        IReadOnlyList<FollowedCommit> transactions = [.. commits.Select(commit => commit.Commit)];
        var segment = Segment.Write(SegmentHeader.OfCommits(Timeline, Number + 1, pageSize, Digest, transactions), transactions, encryption);
        Keep(segment, commits[^1].End, null, null, commits[^1].Commit.Earliest);
        return segment;
    }

    /// <summary>Lets the stream continue from an ordinary backup: keeps the segment that says so, which <see cref="ConfirmAsync"/> puts.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="backupId">The backup, which holds the database as the snapshot does.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <exception cref="IOException">It cannot be kept; then nothing has happened.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void WriteBase(BaseReason reason, string backupId, FollowedSnapshot snapshot)
    {
        var header = new SegmentHeader
        {
            Kind = SegmentKind.Base,
            Timeline = Timeline,
            Number = Number + 1,
            FirstTransaction = Math.Min(Math.Max(Transaction, 0), snapshot.Transaction) + 1,
            LastTransaction = snapshot.Transaction,
            Time = snapshot.Time,
            PageSize = snapshot.PageSize,
            PageCount = snapshot.PageCount,
            Previous = Digest,
            Digest = snapshot.Digest,
            Reason = reason,
            BackupId = backupId,
            DatabasePath = databasePath,
        };
        Keep(Segment.Write(header, [], encryption), snapshot.Place, snapshot.Rest, backupId, snapshot.Looked);
    }

    /// <summary>Notes that the backup from which the stream continues is in the store.</summary>
    public void BackupSent() => Keep(saved! with { Backup = null, Restorable = null });

    /// <summary>Notes that everything stored is in the database file, which makes the next start independent of the log.</summary>
    public void KeepRest(LogPlace? place, FileMark rest)
    {
        if (saved is { } known && (known.Rest != rest || known.Log != place?.ToPosition()))
        {
            Keep(known with { Log = place?.ToPosition(), Rest = rest });
        }
    }

    /// <summary>Puts a segment once.</summary>
    public Task<PutOutcome> PutAsync(Segment segment, CancellationToken cancellation) => store.PutAsync(segment, cancellation);

    private BaseReason Begin()
    {
        (Stream, Timeline, Number, Transaction) = (NewStream(), 1, 0, -1);
        return BaseReason.Start;
    }

    private bool IsOfStore(SavedPlace place) => place.Store == store.Location.ToString();

    private void Resume(SavedPlace place)
    {
        (Timeline, Number, Transaction, Time) = (place.Timeline, place.Number, place.Transaction, place.Time);
        (Stream, Digest) = (place.Stream, new StreamDigest(place.Digest));
    }

    private void Keep(SavedPlace place)
    {
        var kept = place with { Pending = null, PendingSha256 = null };
        folder.Save(kept, []);
        saved = kept;
    }

    private void Keep(Segment segment, LogPlace? place, FileMark? rest, string? backup, DateTimeOffset? earliest)
    {
        var header = segment.Header;
        var kept = new SavedPlace
        {
            Database = databasePath,
            Store = store.Location.ToString(),
            Stream = Stream,
            Timeline = header.Timeline,
            Number = header.Number,
            Transaction = header.LastTransaction,
            Time = header.Time,
            Earliest = earliest,
            Digest = header.Digest.Value,
            Log = place?.ToPosition(),
            Rest = rest,
            Pending = segment.Name.ToString(),
            PendingSha256 = segment.Sha256,
            Backup = backup,
            Restorable = backup is null ? null : Restorable,
        };
        folder.Save(kept, segment.Bytes.Span);
        saved = kept;
        unconfirmed = segment;
    }

    private async Task<BaseReason?> TakeOverAsync(bool isWanted, string why, OperationContext context)
    {
        if (!isWanted)
        {
            throw new BackupException(
                BackupErrorId.StreamNotOurs, databasePath,
                $"The stream of '{databasePath}' in '{store.Location}' is not the one of this machine: {why}. Nothing was changed. If another machine protects this database, give each a -Prefix of its own; if this one must go on in its place (it is restored, or moved, or the state in its backup directory was lost), stop the other and add -TakeOver.");
        }

        saved = null;
        while (true)
        {
            var last = await store.LastAsync(timeline: null, context.Cancellation).ConfigureAwait(false);
            if (last is null)
            {
                return Begin();
            }

            var header = await store.ReadHeaderAsync(last, context.Identities, context.Cancellation).ConfigureAwait(false);
            (Transaction, Time, Digest) = (header.LastTransaction, header.Time, header.Digest);
            if (header.Kind == SegmentKind.Seal)
            {
                (Timeline, Number) = (header.NextTimeline!.Value, 0);
                return BaseReason.Takeover;
            }

            var seal = Segment.Write(
                SegmentHeader.SealAfter(header, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)))), [], encryption);
            if (await store.PutAsync(seal, context.Cancellation).ConfigureAwait(false) == PutOutcome.Stored)
            {
                context.Warn(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The stream of '{databasePath}' in '{store.Location}' was taken over at transaction {header.LastTransaction}: its former writer will stop. The stream continues in timeline {header.Timeline + 1}."));
                (Timeline, Number) = (header.Timeline + 1, 0);
                return BaseReason.Takeover;
            }
        }
    }

    private static string NewStream() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    private Task<StoredSegment?> FindAsync(long number, CancellationToken cancellation) =>
        store.FindAsync(new SegmentName(Timeline, number), cancellation);
}
