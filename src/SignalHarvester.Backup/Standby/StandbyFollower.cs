using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Standby;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Standby;

/// <summary>
/// Keeps a file as a standby of a database that is protected continuously: restores it from the store, then appends each segment to its log, beside
/// readers, who see whole commits only. A kill at any moment leaves it at one transaction, from which the next follower goes on.
/// </summary>
public sealed class StandbyFollower : IDisposable
{
    private const uint LongLog = 1000;

    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestBusy = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly string database;
    private readonly StoreCatalog store;
    private readonly RestoreOptions options;
    private readonly BackupDirectory home;
    private readonly OperationContext context;
    private readonly StreamStore stream;
    private readonly StandbyFile file;
    private StandbyDatabase? standby;
    private StandbyPlace place = null!;
    private BackupRestoreResult? restored;
    private ulong? sealer;
    private bool isPromoted;

    // No segment leads on from where it is; until it is restored anew, it stands still.
    private bool isOvertaken;

    private StandbyFollower(
        string path, string database, StoreCatalog store, RestoreOptions options, BackupDirectory home, StandbyFile file, OperationContext context)
    {
        this.path = path;
        this.database = database;
        this.store = store;
        this.options = options;
        this.home = home;
        this.file = file;
        this.context = context;
        stream = StreamStore.Open(store.Location, database, store.Store.Options);
    }

    /// <summary>The standby as it is now.</summary>
    public BackupStandby Status => new()
    {
        Path = path,
        DatabasePath = database,
        Store = store.Location,
        Transaction = place.Transaction,
        Timestamp = place.Time,
        Restored = restored,
        IsPromoted = isPromoted && standby is null,
    };

    /// <summary>Whether a file is a standby: then no restore over it is to be asked for.</summary>
    /// <param name="path">Its full path.</param>
    public static bool IsStandby(string path) => StandbyFile.IsBeside(
        (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? path);

    /// <summary>Takes hold of a standby, and restores it first if it is none yet.</summary>
    /// <param name="store">Where the stream and the backups are.</param>
    /// <param name="database">The protected database, by the path that its backups record.</param>
    /// <param name="options">The standby as the destination, and how it is restored.</param>
    /// <param name="force">Whether a standby that somebody has written to is restored anew.</param>
    /// <param name="home">The backup directory of this machine, for what is fetched.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="BackupException">StandbyRunning; StandbyChanged; as of a restore.</exception>
    public static StandbyFollower Begin(
        StoreCatalog store, string database, RestoreOptions options, bool force, BackupDirectory home, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        var path = RestoreTarget.Resolve(options.Destination, options.AllowHardLink, context).Path;
        ProtectionGrounds.RequireLocks(Path.GetDirectoryName(path)!);
        var follower = new StandbyFollower(path, database, store, options, home, StandbyFile.Open(path), context);
        try
        {
            follower.Begin(force);
            return follower;
        }
        catch
        {
            follower.Dispose();
            throw;
        }
    }

    /// <summary>Follows until it is cancelled. What cannot be read or written at the moment is tried again; it is told when that begins and ends.</summary>
    /// <exception cref="BackupException">
    /// StandbyChanged: somebody else has written to the standby, or put another file in its place; the errors of a restore.
    /// </exception>
    public async Task RunAsync()
    {
        using var meter = context.Meter($"Following '{database}' in {store.Location}", 0);
        var pace = new FollowPace(context.Clock);
        string? trouble = null;
        while (!context.Cancellation.IsCancellationRequested)
        {
            var wait = TimeSpan.Zero;
            try
            {
                wait = await StepAsync(pace).ConfigureAwait(false);
                if (trouble is not null)
                {
                    context.Warn($"'{path}' follows '{database}' again.");
                    trouble = null;
                }
            }
            catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (IsPassing(exception))
            {
                wait = pace.Failed();
                if (trouble is null)
                {
                    context.Warn(
                        $"'{path}' stands still at transaction {place.Transaction.ToString(CultureInfo.InvariantCulture)} of {StreamHole.Moment(place.Time)}. It is tried again. {exception.Message}");
                }

                trouble = exception.Message;
            }

            var standing = trouble is null ? string.Empty : ", where it stands still: " + trouble;
            meter.Part = string.Create(CultureInfo.InvariantCulture, $"transaction {place.Transaction} of {StreamHole.Moment(place.Time)}{standing}");
            meter.MoveTo(0);
            await Task.Delay(wait, context.Clock, context.Cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Makes the standby the primary: seals the timeline of the former one, which is fenced from then on, with everything that it has stored before in
    /// the standby. Then the file is an ordinary database.
    /// </summary>
    /// <exception cref="BackupException">
    /// StreamFenced: another machine was first; StandbyChanged; the Cloud… errors: whether it is sealed is then unknown, and the next try finds out.
    /// </exception>
    public async Task PromoteAsync()
    {
        var pace = new FollowPace(context.Clock);
        sealer = file.State!.Sealer ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        do
        {
            while (!isPromoted && await StepAsync(pace).ConfigureAwait(false) == TimeSpan.Zero)
            {
            }
        }
        while (!isPromoted && !await TrySealAsync().ConfigureAwait(false));

        if (place.NextTimeline is not null)
        {
            context.Warn(
                $"Another machine has taken over '{database}' before, and has stored nothing since where '{path}' would see it. If it works at another path, its stream is another one, and nothing fences it: make sure that it has stopped.");
        }

        isPromoted = true;
        Leave();
        file.Delete();
        context.Warn(string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' is the primary now, at transaction {place.Transaction} of {StreamHole.Moment(place.Time)}: whoever protected '{database}' is fenced. {NextStep}"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (stream)
        using (file)
        {
            Leave();
        }
    }

    /// <summary>Whether an error may pass by itself.</summary>
    private static bool IsPassing(Exception exception) => exception switch
    {
        BackupException fault => fault.ErrorId.StartsWith("Cloud", StringComparison.Ordinal)
            || fault.ErrorId is BackupErrorId.StreamHole or BackupErrorId.SourceLocked or BackupErrorId.DestinationLocked or BackupErrorId.InsufficientSpace,
        _ => exception is SqliteIOException or IOException,
    };

    private void Begin(bool force)
    {
        if (file.State is { IsRestoring: false } state && TryContinue(state) is var why)
        {
            if (why is null)
            {
                return;
            }

            if (!force)
            {
                throw Changed(why);
            }
        }
        else
        {
            RefuseItself();
        }

        RestoreAnew();
    }

    /// <summary>Goes on where an earlier follower has ended.</summary>
    /// <returns>Why that cannot be, as a clause; null if it is so.</returns>
    private string? TryContinue(StandbyState state)
    {
        if (state.Database != database || state.Store != store.Location.ToString())
        {
            return $"it is a standby of '{state.Database}' in '{state.Store}'";
        }

        if (!File.Exists(path))
        {
            // Nothing can be lost by restoring it.
            RestoreAnew();
            return null;
        }

        try
        {
            standby = StandbyDatabase.Open(path);
            foreach (var known in new[] { state.Next, state.Place }.OfType<StandbyPlace>())
            {
                if (standby.IsAt(known))
                {
                    place = known;
                    return null;
                }
            }
        }
        catch (Exception exception) when (exception is SqliteException or DatabaseReplacedException or JsonException or FormatException)
        {
            return exception.Message.TrimEnd('.');
        }

        var isEmpty = standby.End.MaxFrame == 0;
        standby.Dispose();
        standby = null;
        if (isEmpty && new StandbyProof(path, store, home, options, context).Find(Backups(), state) is { } proved)
        {
            standby = StandbyDatabase.Open(path);
            place = proved;
            return standby.IsAt(proved) ? null : "somebody writes to it";
        }

        return "its content is not that of the last transaction that it got from there";
    }

    /// <summary>Refuses the protected database itself while an application uses it: it is no standby, and would be taken from under the application.</summary>
    private void RefuseItself()
    {
        if (path != database || !File.Exists(path))
        {
            return;
        }

        try
        {
            using var connection = HoldingConnection.Open(path);
            _ = connection.Touch();
            connection.CheckpointOnClose();
            if (!SqliteDescriptors.IsUsedByOthers(path))
            {
                return;
            }
        }
        catch (SqliteException exception) when (!SqliteResult.IsBusy(exception.SqliteErrorCode))
        {
            // Nothing that an application could use.
            return;
        }

        throw new BackupException(
            BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidOperation, path,
            $"'{path}' is the path of the protected database itself, and is in use. It was not changed. Give the standby another path; if this is another machine than the one that protects it, or the one that failed, end what uses the file first.");
    }

    private IReadOnlyList<BackupMetadata> Backups() =>
        BackupChain.WithDepths([.. store.List(context.Cancellation).Backups.Where(backup => backup.DatabasePath == database)]);

    private BackupException Changed(string why) => new(
        BackupErrorId.StandbyChanged, path,
        $"'{path}' cannot go on as a standby: {why}. It was not changed. If somebody needs what is in it, use it as it is, without '{StandbyFile.Suffix}'; if nobody does, run -Follow with -Force: it is restored anew, and what it was is kept as a safety backup.");

    /// <summary>Restores the newest transaction, and begins from there.</summary>
    private void RestoreAnew()
    {
        var plan = StreamPlanner.Newest(store, Backups(), context);
        var from = plan.From.Position;
        var begins = new StandbyPlace
        {
            Timeline = from.Timeline,
            Number = from.Number,
            Transaction = plan.Transaction,
            Time = plan.Time,
            Mark = from.Mark,
        };
        if (plan.Segments is [.., var last])
        {
            var header = stream.ReadHeaderAsync(last, context.Identities, context.Cancellation).GetAwaiter().GetResult();
            begins = begins with
            {
                Timeline = header.Timeline,
                Number = header.Number,
                NextTimeline = header.NextTimeline,
                Mark = header.Digest.Mark,
            };
        }

        if (!File.Exists(path))
        {
            SaveRestoring();
        }

        var result = BackupEngine.Restore(
            new BackupSource(plan.Start, BackupCatalog.Of(store, home)), options with { Stream = plan, BeforeOverwrite = GuardOverwrite }, context);
        restored ??= result;
        standby?.Dispose();
        standby = StandbyDatabase.Open(path);
        isOvertaken = false;
        place = begins with { Log = LogPlace.Of(standby.End)?.ToPosition(), Rest = standby.Copy() };
        Save(place);
    }

    /// <summary>Takes the next segment, if it is there.</summary>
    /// <returns>How long to wait before the next step.</returns>
    private async Task<TimeSpan> StepAsync(FollowPace pace)
    {
        if (standby is null)
        {
            // It could not be opened after a restore.
            RestoreAnew();
        }

        RefuseChanged();
        var next = place.Next;
        if (await stream.FindAsync(next, context.Cancellation).ConfigureAwait(false) is not { } found)
        {
            if (pace.IsQuiet)
            {
                Tidy();
            }

            if (isOvertaken || (pace.IsDoubtDue && await IsOvertakenAsync(next).ConfigureAwait(false)))
            {
                RestoreAgain($"the segment '{next}' is not in the store any more, but later ones are");
                return TimeSpan.Zero;
            }

            return pace.Nothing();
        }

        var content = await stream.ReadAsync(found, context.Identities, context.Cancellation).ConfigureAwait(false);
        if (!Take(content, pace))
        {
            return pace.Nothing();
        }

        isOvertaken = false;
        pace.Moved();
        return TimeSpan.Zero;
    }

    /// <returns>False if it must wait.</returns>
    private bool Take(SegmentContent content, FollowPace pace)
    {
        var header = content.Header;
        switch (header.Kind)
        {
            case SegmentKind.Seal:
                if (header.Sealer == sealer)
                {
                    isPromoted = true;
                    return true;
                }

                // Noted before it is told: who promotes again takes over from that machine.
                Save(place with { Timeline = header.Timeline, Number = header.Number, NextTimeline = header.NextTimeline });
                if (sealer is not null)
                {
                    throw new BackupException(
                        BackupErrorId.StreamFenced, path, string.Create(
                            CultureInfo.InvariantCulture,
                            $"Another machine has taken over '{database}' at transaction {header.LastTransaction}, before '{path}' could be promoted. Find out which one should be the primary; if it is this one, promote it again: it takes over from that one, with what that one has stored."));
                }

                context.Warn(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Another machine has taken over '{database}' at transaction {header.LastTransaction}; '{path}' follows it in timeline {header.NextTimeline}."));
                return true;
            case SegmentKind.Base:
                return TakeBase(header, pace);
        }

        if (header.PageSize != standby!.PageSize || header.FirstTransaction > place.Transaction + 1
            || (header.LastTransaction >= place.Transaction && !header.Confirms(place.Transaction, place.Mark)))
        {
            RestoreAgain("the stream in the store is another one by now");
            return true;
        }

        var pages = new StandbyPages(standby.PageSize, standby.PageCount);
        foreach (var commit in content.Commits.Where(commit => commit.Number > place.Transaction))
        {
            pages.Take(commit.Pages, commit.PageCount);
        }

        var after = place with { Timeline = header.Timeline, Number = header.Number, NextTimeline = null };
        if (header.LastTransaction > place.Transaction)
        {
            after = after with { Transaction = header.LastTransaction, Time = header.Time, Mark = header.Digest.Mark };
        }

        if (pages.Bytes == 0)
        {
            Save(after);
            return true;
        }

        Append(pages, after);
        context.Verbose(string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' is at transaction {place.Transaction} of '{database}', {(context.Clock.GetUtcNow() - place.Time).TotalMilliseconds:0} ms after it was committed."));
        if (standby.End.MaxFrame > LongLog)
        {
            Tidy();
        }

        return true;
    }

    /// <summary>Restores what a base names, once it has arrived. In a promotion, a backup that has not is lost with the machine that made it.</summary>
    /// <returns>False while it has not arrived.</returns>
    private bool TakeBase(SegmentHeader header, FollowPace pace)
    {
        var id = header.BackupId!;
        if (store.FindAsync(id, context.Cancellation).GetAwaiter().GetResult() is not null)
        {
            RestoreAgain($"its stream continues from the backup '{id}'");
            return true;
        }

        var last = place.Transaction.ToString(CultureInfo.InvariantCulture);
        if (sealer is not null)
        {
            context.Warn(
                $"The backup '{id}', from which the stream continues after transaction {last}, has never arrived in '{store.Location}': what it has is on the machine that made it alone. '{path}' stays at the transaction before it.");
            Save(place with { Timeline = header.Timeline, Number = header.Number, NextTimeline = null, Mark = header.Digest.Mark });
            return true;
        }

        if (pace.IsDoubtDue)
        {
            context.Warn(
                $"'{path}' stands still at transaction {last}: the backup '{id}', from which the stream continues, has not arrived in '{store.Location}' yet.");
        }

        return false;
    }

    private void Append(StandbyPages pages, StandbyPlace after)
    {
        var all = pages.Pages;
        var began = context.Clock.GetTimestamp();
        while (true)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var planned = standby!.Plan(all, pages.PageCount);
            after = after with { Log = LogPlace.Of(planned.After)!.Value.ToPosition(), Rest = null };
            file.Save(State(place) with { Next = after });
            switch (standby.Append(planned))
            {
                case AppendOutcome.Appended:
                    place = after;
                    return;
                case AppendOutcome.Changed:
                    throw Changed("somebody else has written to it");
                case var _ when context.Clock.GetElapsedTime(began) >= LongestBusy:
                    throw new BackupException(
                        BackupErrorId.DestinationLocked, path,
                        $"Another process holds the write lock of '{path}' or checkpoints it. A standby is there to be read: end its transaction.");
                default:
                    // Whoever writes or checkpoints does so for a moment; nobody tells when it is over.
                    standby.Mend();
                    Thread.Sleep(Breath);
                    break;
            }
        }
    }

    /// <summary>Copies the log to the file and empties it, as far as readers allow it. Each state is kept before the next one begins.</summary>
    private bool Tidy()
    {
        if (standby!.End.MaxFrame == 0)
        {
            return true;
        }

        if (standby.Copy() is not { } mark)
        {
            return false;
        }

        Save(place with { Rest = mark });
        standby.Empty();
        return true;
    }

    private void RefuseChanged()
    {
        try
        {
            if (!standby!.IsUnchanged())
            {
                standby.Mend();
                if (!standby.IsUnchanged())
                {
                    throw Changed("somebody else has written to it");
                }
            }
        }
        catch (DatabaseReplacedException exception)
        {
            throw Changed(exception.Message);
        }
    }

    private void RestoreAgain(string why)
    {
        RefuseChanged();
        if (!isOvertaken)
        {
            context.Warn($"'{path}' is restored anew from '{store.Location}', because {why}. Until then it stays as it is.");
        }

        isOvertaken = true;
        RestoreAnew();
    }

    private string NextStep => path == database
        ? "Protect it with Start-SHBackupProtection -TakeOver, then start its application."
        : $"Its stream belongs to '{database}': protected at another path it begins one of its own. Start-SHBackupProtection does that; then start its application.";

    /// <summary>Seals the timeline, if nobody has put anything after the last segment.</summary>
    private async Task<bool> TrySealAsync()
    {
        // The number after ours may be free because somebody has deleted that segment, and then it is no fence.
        var last = await stream.LastAsync(timeline: null, context.Cancellation).ConfigureAwait(false);
        if (last is not null && last.Name != new SegmentName(place.Timeline, place.Number))
        {
            if (await stream.FindAsync(place.Next, context.Cancellation).ConfigureAwait(false) is null)
            {
                RestoreAgain($"the segment '{place.Next}' is missing in the store");
            }

            return false;
        }

        if (last is null)
        {
            throw new BackupException(
                BackupErrorId.StreamHole, path,
                $"The stream of '{database}' in '{stream.Location}' cannot be sealed, because it has no segments any more. '{path}' has everything that was stored; make sure that its former writer has stopped, delete '{path}{StandbyFile.Suffix}', and use the file.");
        }

        var content = await stream.ReadAsync(last, context.Identities, context.Cancellation).ConfigureAwait(false);
        var header = place.NextTimeline is { } begun ? content.Header with { Timeline = begun, Number = 0 } : content.Header;
        var encryption = content.IsEncrypted ? options.Encryption ?? context.Identities.ToEncryption() : null;
        var seal = Segment.Write(
            SegmentHeader.SealAfter(header, sealer!.Value), [], encryption is null ? null : FileEncryption.Create(encryption));
        file.Save(State(place));
        return await stream.PutAsync(seal, context.Cancellation).ConfigureAwait(false) == PutOutcome.Stored;
    }

    /// <summary>Whether the segment that is not there is missing for ever, because later ones are or were there.</summary>
    private async Task<bool> IsOvertakenAsync(SegmentName next)
    {
        var isOvertaken = await stream.HasNeighbourAfterAsync(next, context.Cancellation).ConfigureAwait(false)
            || store.List(context.Cancellation).Backups.Where(backup => backup.DatabasePath == database).Select(StreamPosition.Of).OfType<StreamPosition>()
                .Any(position => position.Timeline > next.Timeline || (position.Timeline == next.Timeline && position.Number >= next.Number));

        // It may have come meanwhile.
        return isOvertaken && await stream.FindAsync(next, context.Cancellation).ConfigureAwait(false) is null;
    }

    /// <summary>What somebody has written since the last look is not overwritten, however long the backup took to fetch.</summary>
    private void GuardOverwrite()
    {
        if (standby is not null)
        {
            RefuseChanged();
        }

        SaveRestoring();
    }

    private void SaveRestoring() => file.Save(
        new StandbyState { Database = database, Store = store.Location.ToString(), Place = place, IsRestoring = true, Sealer = sealer });

    private void Save(StandbyPlace now)
    {
        file.Save(State(now));
        place = now;
    }

    private StandbyState State(StandbyPlace now) => new() { Database = database, Store = store.Location.ToString(), Place = now, Sealer = sealer };

    /// <summary>Leaves the standby as one whole file, if its readers allow that within a second.</summary>
    private void Leave()
    {
        if (standby is not { } leaving)
        {
            return;
        }

        try
        {
            var began = context.Clock.GetTimestamp();
            var isWhole = Tidy();
            while (!isWhole && leaving.IsUnchanged() && context.Clock.GetElapsedTime(began) < LongestLeave)
            {
                Thread.Sleep(Breath);
                isWhole = Tidy();
            }

            if (isWhole)
            {
                leaving.Close();
            }
        }
        catch (Exception exception) when (exception is SqliteException or SqliteIOException or IOException or DatabaseReplacedException)
        {
            context.Warn($"'{path}' was left with its log: {exception.Message}");
        }
        finally
        {
            standby = null;
            leaving.Dispose();
        }
    }
}
