using System.Globalization;
using System.Security.Cryptography;
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

    private readonly string path;
    private readonly string database;
    private readonly StoreCatalog store;
    private readonly RestoreOptions options;
    private readonly BackupDirectory home;
    private readonly OperationContext context;
    private readonly StreamStore stream;
    private readonly KeptStandby kept;
    private BackupRestoreResult? restored;
    private bool isPromoting;
    private bool isPromoted;

    // No segment leads on from where it is; until it is restored anew, it stands still.
    private bool isOvertaken;

    private StandbyFollower(
        string path, string database, StoreCatalog store, RestoreOptions options, BackupDirectory home, KeptStandby kept, OperationContext context)
    {
        this.path = path;
        this.database = database;
        this.store = store;
        this.options = options;
        this.home = home;
        this.context = context;
        this.kept = kept;
        stream = StreamStore.Open(store.Location, database, store.Store.Options);
    }

    /// <summary>The standby as it is now.</summary>
    public BackupStandby Status => new()
    {
        Path = path,
        DatabasePath = database,
        Store = store.Location,
        Transaction = kept.Place.Transaction,
        Timestamp = kept.Place.Time,
        Restored = restored,
        IsPromoted = isPromoted,
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
    public static async Task<StandbyFollower> BeginAsync(
        StoreCatalog store, string database, RestoreOptions options, bool force, BackupDirectory home, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        var path = RestoreTarget.Resolve(options.Destination, options.AllowHardLink, context).Path;
        ProtectionGrounds.Here.RequireLocks(Path.GetDirectoryName(path)!);
        var kept = new KeptStandby(path, database, store.Location.ToString(), context);
        var follower = new StandbyFollower(path, database, store, options, home, kept, context);
        try
        {
            await follower.BeginAsync(force).ConfigureAwait(false);
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
                        $"'{path}' stands still at transaction {kept.Place.Transaction.ToString(CultureInfo.InvariantCulture)} of {StreamHole.Moment(kept.Place.Time)}. It is tried again. {exception.Message}");
                }

                trouble = exception.Message;
            }

            var standing = trouble is null ? string.Empty : ", where it stands still: " + trouble;
            meter.Part = string.Create(CultureInfo.InvariantCulture, $"transaction {kept.Place.Transaction} of {StreamHole.Moment(kept.Place.Time)}{standing}");
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
        isPromoting = true;
        kept.Sealer ??= BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        do
        {
            while (!isPromoted && await StepAsync(pace).ConfigureAwait(false) == TimeSpan.Zero)
            {
            }
        }
        while (!isPromoted && !await TrySealAsync().ConfigureAwait(false));

        if (kept.Place.NextTimeline is not null)
        {
            context.Warn(
                $"Another machine has taken over '{database}' before, and has stored nothing since where '{path}' would see it. If it works at another path, its stream is another one, and nothing fences it: make sure that it has stopped.");
        }

        isPromoted = true;
        kept.Release();
        context.Warn(string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' is the primary now, at transaction {kept.Place.Transaction} of {StreamHole.Moment(kept.Place.Time)}: whoever protected '{database}' is fenced. {NextStep}"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        kept.Dispose();
        stream.Dispose();
    }

    /// <summary>Whether an error may pass by itself.</summary>
    private static bool IsPassing(Exception exception) => exception switch
    {
        BackupException fault => fault.ErrorId.StartsWith("Cloud", StringComparison.Ordinal)
            || fault.ErrorId is BackupErrorId.StreamHole or BackupErrorId.SourceLocked or BackupErrorId.DestinationLocked or BackupErrorId.InsufficientSpace,
        _ => exception is IOException or UnauthorizedAccessException,
    };

    private async Task BeginAsync(bool force)
    {
        if (kept.IsToBeRestored)
        {
            RefuseItself();
        }
        else if (kept.Continue(state => new StandbyProof(path, store, home, options, context).Find(Backups(), state)) is not { } why)
        {
            return;
        }
        else if (!force)
        {
            throw kept.Changed(why);
        }

        await RestoreAnewAsync(onlyForward: false).ConfigureAwait(false);
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

    /// <summary>Restores the newest transaction, and begins from there.</summary>
    /// <param name="onlyForward">Whether a transaction before the one where it is, is refused.</param>
    private async Task RestoreAnewAsync(bool onlyForward)
    {
        var plan = StreamPlanner.Newest(store, Backups(), context);
        if (onlyForward && plan.Transaction < kept.Place.Transaction)
        {
            throw new BackupException(
                BackupErrorId.StreamHole, path, string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{path}' is at transaction {kept.Place.Transaction}, and '{stream.Location}' leads to {plan.Transaction} only: somebody has deleted a part of the stream, or it began anew. The standby was not changed. If it is to follow what is there now, delete it, and start again."));
        }

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
            var header = await stream.ReadHeaderAsync(last, context.Identities, context.Cancellation).ConfigureAwait(false);
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
            kept.RestoreBegins(image: null);
        }

        var result = BackupEngine.Restore(
            new BackupSource(plan.Start, BackupCatalog.Of(store, home)), options with { Stream = plan, BeforeOverwrite = kept.RestoreBegins }, context);
        restored ??= result;
        await kept.BeginAsync(begins).ConfigureAwait(false);
        isOvertaken = false;
    }

    /// <summary>Takes the next segment, if it is there.</summary>
    /// <returns>How long to wait before the next step.</returns>
    private async Task<TimeSpan> StepAsync(FollowPace pace)
    {
        if (!kept.IsOpen)
        {
            // It could not be opened after a restore.
            await RestoreAnewAsync(onlyForward: true).ConfigureAwait(false);
        }

        kept.RefuseChanged();
        var next = kept.Place.Next;
        if (await stream.FindAsync(next, context.Cancellation).ConfigureAwait(false) is not { } found)
        {
            if (pace.IsQuiet)
            {
                _ = kept.Tidy(longest: 0);
            }

            if (isOvertaken || (pace.TakeDoubt() && await IsOvertakenAsync(next).ConfigureAwait(false)))
            {
                await RestoreAgainAsync($"the segment '{next}' is not in the store any more, but later ones are").ConfigureAwait(false);
                return TimeSpan.Zero;
            }

            return pace.Nothing();
        }

        var content = await stream.ReadAsync(found, context.Identities, context.Cancellation).ConfigureAwait(false);
        if (!await TakeAsync(content, pace).ConfigureAwait(false))
        {
            return pace.Nothing();
        }

        isOvertaken = false;
        pace.Moved();
        return TimeSpan.Zero;
    }

    /// <returns>False if it must wait.</returns>
    private async Task<bool> TakeAsync(SegmentContent content, FollowPace pace)
    {
        var header = content.Header;
        switch (header.Kind)
        {
            case SegmentKind.Seal:
                if (isPromoting && header.Sealer == kept.Sealer)
                {
                    isPromoted = true;
                    return true;
                }

                // Noted before it is told: who promotes again takes over from that machine.
                kept.Move(kept.Place with { Timeline = header.Timeline, Number = header.Number, NextTimeline = header.NextTimeline });
                if (isPromoting)
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
                return await TakeBaseAsync(header, pace).ConfigureAwait(false);
        }

        if (header.PageSize != kept.PageSize || header.FirstTransaction > kept.Place.Transaction + 1
            || (header.LastTransaction >= kept.Place.Transaction && !header.Confirms(kept.Place.Transaction, kept.Place.Mark)))
        {
            await RestoreAgainAsync("the stream in the store is another one by now").ConfigureAwait(false);
            return true;
        }

        var pages = new StandbyPages(kept.PageSize, kept.PageCount);
        foreach (var commit in content.Commits.Where(commit => commit.Number > kept.Place.Transaction))
        {
            pages.Take(commit.Pages, commit.PageCount);
        }

        var after = kept.Place with { Timeline = header.Timeline, Number = header.Number, NextTimeline = null };
        if (header.LastTransaction > kept.Place.Transaction)
        {
            after = after with { Transaction = header.LastTransaction, Time = header.Time, Mark = header.Digest.Mark };
        }

        if (pages.Bytes == 0)
        {
            kept.Move(after);
            return true;
        }

        await kept.AppendAsync(pages, after).ConfigureAwait(false);
        context.Verbose(string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' is at transaction {kept.Place.Transaction} of '{database}', {(context.Clock.GetUtcNow() - kept.Place.Time).TotalMilliseconds:0} ms after it was committed."));
        _ = kept.Tidy(LongLog);
        return true;
    }

    /// <summary>Restores what a base names, once it has arrived. In a promotion, a backup that has not is lost with the machine that made it.</summary>
    /// <returns>False while it has not arrived.</returns>
    private async Task<bool> TakeBaseAsync(SegmentHeader header, FollowPace pace)
    {
        var id = header.BackupId!;
        if (await store.FindAsync(id, context.Cancellation).ConfigureAwait(false) is not null)
        {
            await RestoreAgainAsync($"its stream continues from the backup '{id}'").ConfigureAwait(false);
            return true;
        }

        var last = kept.Place.Transaction.ToString(CultureInfo.InvariantCulture);
        if (isPromoting)
        {
            context.Warn(
                $"The backup '{id}', from which the stream continues after transaction {last}, has never arrived in '{store.Location}': what it has is on the machine that made it alone. '{path}' stays at the transaction before it.");
            kept.Move(kept.Place with { Timeline = header.Timeline, Number = header.Number, NextTimeline = null, Mark = header.Digest.Mark });
            return true;
        }

        if (pace.TakeDoubt())
        {
            context.Warn(
                $"'{path}' stands still at transaction {last}: the backup '{id}', from which the stream continues, has not arrived in '{store.Location}' yet.");
        }

        return false;
    }

    private async Task RestoreAgainAsync(string why)
    {
        kept.RefuseChanged();
        if (!isOvertaken)
        {
            context.Warn($"'{path}' is restored anew from '{store.Location}', because {why}. Until then it stays as it is.");
        }

        isOvertaken = true;
        await RestoreAnewAsync(onlyForward: true).ConfigureAwait(false);
    }

    private string NextStep => path == database
        ? "Protect it with Start-SHBackupProtection -TakeOver, then start its application."
        : $"Its stream belongs to '{database}': protected at another path it begins one of its own. Start-SHBackupProtection does that; then start its application.";

    /// <summary>Seals the timeline, if nobody has put anything after the last segment.</summary>
    private async Task<bool> TrySealAsync()
    {
        // The number after ours may be free because somebody has deleted that segment, and then it is no fence.
        var last = await stream.LastAsync(timeline: null, context.Cancellation).ConfigureAwait(false);
        if (last is not null && last.Name != new SegmentName(kept.Place.Timeline, kept.Place.Number))
        {
            if (await stream.FindAsync(kept.Place.Next, context.Cancellation).ConfigureAwait(false) is null)
            {
                await RestoreAgainAsync($"the segment '{kept.Place.Next}' is missing in the store").ConfigureAwait(false);
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
        var header = kept.Place.NextTimeline is { } begun ? content.Header with { Timeline = begun, Number = 0 } : content.Header;
        var encryption = content.IsEncrypted ? options.Encryption ?? context.Identities.ToEncryption() : null;
        var seal = Segment.Write(
            SegmentHeader.SealAfter(header, kept.Sealer!.Value), [], encryption is null ? null : FileEncryption.Create(encryption));
        kept.Move(kept.Place);
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
}
