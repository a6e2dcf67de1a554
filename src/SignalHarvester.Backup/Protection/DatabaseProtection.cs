using System.Globalization;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Protects one database continuously. The way of a commit, from top to bottom: the log, the follower, a segment, this machine's disk,
/// the store. Beside that, an ordinary backup each hour, made of the pages that were seen to change.
/// </summary>
internal sealed class DatabaseProtection : IDisposable
{
    private const long RoomInMemory = 64L << 20;

    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongBreath = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RestBeforeNote = TimeSpan.FromSeconds(2);

    private readonly string path;
    private readonly BackupDirectory directory;
    private readonly StoreCatalog store;
    private readonly ProtectionOptions options;
    private readonly BackupTurns turns;
    private readonly KnownPositions positions;
    private readonly OperationContext context;
    private readonly CancellationTokenSource ending;
    private readonly OperationContext background;
    private readonly ProtectionFolder folder;
    private readonly StreamStore stream;
    private readonly StreamWriter writer;
    private readonly Follower follower;
    private readonly DatabaseWatch watch;
    private readonly ProtectionHazards hazards;
    private readonly StreamBackups backups;
    private readonly StreamAudit audit;
    private readonly RegularBackups regular;
    private readonly StreamPruning pruning;
    private readonly SegmentShipping shipping;
    private readonly Pulse pulse;
    private readonly StatusBoard board;
    private readonly ProtectionStanding standing = new();
    private readonly Patience patience;
    private readonly ProtectionHistory history;
    private readonly StreamBases bases;
    private readonly DateTimeOffset since;
    private Task? prune;
    private long gapsBeforePruning;
    private long quietSince;
    private long restBegan = long.MaxValue;
    private bool isResumed;
    private bool isEnding;
    private bool isUnkept;
    private bool hasBegun;

    /// <summary>Prepares the protection of a database; nothing is opened yet.</summary>
    /// <param name="path">The database's full path; links are followed already.</param>
    /// <param name="directory">The backup directory, for the ordinary backups and the state.</param>
    /// <param name="store">Where the stream and the backups go.</param>
    /// <param name="options">The options.</param>
    /// <param name="turns">When its backups are made and sent, beside those of the other databases.</param>
    /// <param name="rounds">Looks at it, beside the other databases, while nothing happens.</param>
    /// <param name="positions">The places of the backups that there are.</param>
    /// <param name="starts">Those in the store.</param>
    /// <param name="context">Clock, messages; its cancellation stops the protection.</param>
    public DatabaseProtection(
        string path, BackupDirectory directory, StoreCatalog store, ProtectionOptions options, BackupTurns turns, RestRounds rounds,
        KnownPositions positions, StoredStarts starts, OperationContext context)
    {
        this.path = path;
        this.directory = directory;
        this.store = store;
        this.options = options;
        this.turns = turns;
        this.positions = positions;
        this.context = context;
        ending = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        background = context with { Cancellation = ending.Token };
        pulse = new Pulse(context.Clock);
        since = context.Clock.GetUtcNow();
        folder = new ProtectionFolder(directory, path);
        stream = StreamStore.Open(store.Location, path, store.Store.Options);
        writer = new StreamWriter(path, stream, folder, options.Encryption);
        follower = new Follower(context.Clock, RoomInMemory, NoteGap);
        watch = new DatabaseWatch(path, follower, rounds, new HolderOptions { Checkpoints = options.Checkpoints }, context);
        hazards = new ProtectionHazards(path, watch, context);
        backups = new StreamBackups(path, directory, store, follower, writer, options);
        history = new ProtectionHistory(path, store.Location, directory, since, context);
        audit = new StreamAudit(path, store.Location, directory, options.AuditInterval, history, context);
        regular = new RegularBackups(path, store.Location, backups, audit, Found, turns, options.BackupInterval, background);
        pruning = new StreamPruning(path, directory, stream, store, starts, options);
        board = new StatusBoard(path, folder, Status, context);
        patience = new Patience(path, store.Location, standing, pulse, () => !isEnding && folder.IsStopRequested, board.Show, context);
        shipping = new SegmentShipping(path, follower, writer, patience, standing, options.Interval, context);
        bases = new StreamBases(path, follower, writer, backups, audit, regular, turns, patience, pulse, standing, board, history, context);
    }

    /// <summary>Protects the database until it is stopped.</summary>
    /// <exception cref="BackupException">ProtectionRefused, ProtectionRunning, StreamNotOurs, StreamFenced, StoreUnconditional, StreamBehind, and the errors of
    /// the store and of the first backup.</exception>
    public async Task RunAsync()
    {
        using var running = Lock();
        TakeUp();
        board.Begin();
        try
        {
            await StartAsync().ConfigureAwait(false);
            standing.State = ProtectionState.Following;
            hasBegun = true;
            history.Started();
            await ShipAsync().ConfigureAwait(false);
            standing.State = ProtectionState.Stopped;
        }
        catch (BackupException exception)
        {
            standing.State = exception.ErrorId == BackupErrorId.StreamFenced ? ProtectionState.Fenced : ProtectionState.Ended;
            standing.Problem = exception.Message;
            standing.Failure = exception;
            throw;
        }
        catch (OperationCanceledException) when (IsStopping)
        {
            standing.State = ProtectionState.Stopped;
        }
        catch (Exception exception)
        {
            (standing.State, standing.Problem) = (ProtectionState.Ended, exception.Message);
            throw;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(regular.EndAsync(writer.Transaction), prune ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            watch.Stop();
            if (standing.State == ProtectionState.Stopped)
            {
                KeepRestAtEnd();
            }

            board.End();
            if (hasBegun || standing.State == ProtectionState.Fenced)
            {
                // One that cannot begin is tried again and again by its service. It shows the reason, and the history is for what has happened.
                history.Ended(standing.Failure);
            }

            // A program that is just being started has the file open, too, for a moment, and would keep the lock.
            RegularFile.Release(running);
        }
    }

    /// <summary>The database's full path.</summary>
    public string Path => path;

    /// <summary>What was shown last, within the last second; null before the start.</summary>
    public BackupProtection? Shown => board.Shown;

    /// <summary>Shows how it goes on, and hears whether it is asked to stop. To be called each second.</summary>
    public void Attend()
    {
        board.Show();
        if (folder.IsStopRequested || context.Clock.GetElapsedTime(Volatile.Read(ref restBegan)) >= RestLength)
        {
            follower.Wake();
        }
    }

    /// <summary>Whether it has ended, in whatever way.</summary>
    public bool HasEnded => standing.HasEnded;

    /// <summary>Whether it makes progress: the thread that looks, and the loop that stores. One that has ended needs none.</summary>
    /// <param name="patience">How long no progress is no bad sign yet.</param>
    public bool IsAlive(TimeSpan patience) => HasEnded || (pulse.IsAlive(patience) && watch.IsAlive(patience));

    /// <inheritdoc/>
    public void Dispose()
    {
        watch.Dispose();
        follower.Dispose();
        stream.Dispose();
        ending.Dispose();
    }

    private TimeSpan RestLength => LongBreath < options.BackupInterval ? LongBreath : options.BackupInterval;

    private bool IsStopping => context.Cancellation.IsCancellationRequested || folder.IsStopRequested;

    private SafeFileHandle Lock()
    {
        try
        {
            return folder.Lock();
        }
        catch (BackupException)
        {
            // It is not shown: the status there is another process's.
            standing.State = ProtectionState.Ended;
            throw;
        }
    }

    /// <summary>Takes up what an earlier process has shown, which knew more than is kept durably. What it had not stored is read anew.</summary>
    private void TakeUp()
    {
        BackupProtection? shown = null;
        try
        {
            shown = folder.LastShown();
        }
        catch (BackupException exception)
        {
            context.Warn(
                $"What an earlier protection of '{path}' has shown last is not taken up, so transactions may seem older than they are. {exception.Message}");
        }

        follower.Looked = shown is { LastLook: { } look } && shown.StoredTransaction == shown.Transaction && look < context.Clock.GetUtcNow() ? look : null;
        audit.Continue(shown);
        pruning.Promised = shown?.RestorableFrom;
    }

    private async Task StartAsync()
    {
        pulse.Beat(Patience.LongestStep);
        isResumed = writer.TryResume();
        if (!isResumed)
        {
            Follow(await ConnectAsync().ConfigureAwait(false));
            return;
        }

        // Where it worked before, it follows at once, and waits for a store that is away as it does later. Whoever takes over must know first how far
        // the other one has come.
        if (!options.TakesOver)
        {
            Follow(folder.NotedGap() is null ? null : BaseReason.Gap);
        }

        var lacking = await UntilConnectedAsync().ConfigureAwait(false);
        backups.ForgetUnstored(positions.Of(directory, writer.Stream), background);
        if (options.TakesOver)
        {
            Follow(lacking);
        }
        else if (lacking is { } reason)
        {
            Need(reason);
        }
    }

    private void Follow(BaseReason? needed)
    {
        follower.Resume(Math.Max(0, writer.Transaction), writer.Time, writer.Digest);
        if (writer.Earliest is { } earliest && !(follower.Looked > earliest))
        {
            follower.Looked = earliest;
        }

        if (needed is { } reason)
        {
            Need(reason);
        }

        watch.Start(needed is null ? writer.Place : null, needed is null ? writer.Rest : null, BaseReason.Gap);
    }

    private void Need(BaseReason reason) => follower.Need(reason, reason switch
    {
        BaseReason.Start => "its stream begins",
        BaseReason.Takeover => "it was taken over",
        _ => folder.NotedGap() ?? "the end of its stream is not in the store",
    });

    private void NoteGap(string? why)
    {
        try
        {
            folder.NoteGap(why);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // If only the note of one that is mended stays, the next start makes a backup more than it needs.
            if (why is not null)
            {
                context.Warn(
                    $"'{path}' has a gap ({why}), which cannot be noted in '{directory.Path}': if this process is killed before a backup has mended it, the next one does not know of it. {exception.Message}");
            }
        }
    }

    private async Task<BaseReason?> UntilConnectedAsync()
    {
        try
        {
            return await patience.UntilStoredAsync(ConnectAsync, context.Cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (IsStopping && follower.Lag > TimeSpan.Zero)
        {
            throw Behind("since it started");
        }
    }

    private async Task<BaseReason?> ConnectAsync()
    {
        store.RequireContainer(options.CreatesContainer && !isResumed, context.Cancellation);
        await stream.ProveConditionalAsync(context.Cancellation).ConfigureAwait(false);
        return await writer.ConnectAsync(options.TakesOver, context).ConfigureAwait(false);
    }

    /// <summary>Ships what is committed, until it is asked to stop; then what is left, with a deadline.</summary>
    private async Task ShipAsync()
    {
        try
        {
            while (!IsStopping)
            {
                _ = await StepAsync(context.Cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (IsStopping)
        {
            // Stopped in the middle of a step, which the next one takes up.
        }

        isEnding = true;
        watch.LookNow();
        using var deadline = new CancellationTokenSource(options.StopTimeout, context.Clock);
        try
        {
            while (await StepAsync(deadline.Token).ConfigureAwait(false))
            {
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw Behind(string.Create(CultureInfo.InvariantCulture, $"within {options.StopTimeout.TotalSeconds} seconds"));
        }

        if (follower.Needed is not null)
        {
            context.Warn($"The protection of '{path}' has stopped while it was not followed ({watch.Problem}). The next start begins with a backup.");
        }
    }

    /// <param name="when">In which time nothing could be stored, as an adverbial.</param>
    private BackupException Behind(string when) => new(
        BackupErrorId.StreamBehind, path, string.Create(
            CultureInfo.InvariantCulture,
            $"Protection of '{path}' has stopped, but {follower.Transaction - Math.Max(0, writer.Restorable)} transactions could not be stored in '{store.Location}' {when}{(standing.Problem is null ? string.Empty : $" ({standing.Problem.TrimEnd('.')})")}. {WhatWaits} Start it again when the store can be reached: it continues from there, or with a backup if the log has begun anew by then."));

    private string WhatWaits => follower is { Needed: not null, Oldest: { } oldest }
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"From transaction {oldest.Commit.Number} on they may not be in the database any more ({follower.NeededWhy}): then only a copy of it still has them.")
        : "They are in the database.";

    /// <summary>Does what is due next, or waits if the place of the stream cannot be kept: then nothing may be put. The application is not held up.</summary>
    /// <returns>False if nothing is due.</returns>
    private async Task<bool> StepAsync(CancellationToken cancellation)
    {
        pulse.Beat();
        try
        {
            var isBusy = await DoNextAsync(cancellation).ConfigureAwait(false);
            standing.Problem = isUnkept ? null : standing.Problem;
            isUnkept = false;
            return isBusy;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            isUnkept = true;
            Trouble($"The state of the protection of '{path}' cannot be written to '{directory.Path}', so its transactions wait: {exception.Message}");
            await patience.PauseAsync(Breath, cancellation).ConfigureAwait(false);
            return true;
        }
    }

    private async Task<bool> DoNextAsync(CancellationToken cancellation)
    {
        if (await shipping.ConfirmAsync(cancellation).ConfigureAwait(false))
        {
            return true;
        }

        if (await bases.GoOnAsync(cancellation).ConfigureAwait(false))
        {
            quietSince = 0;
            return true;
        }

        if (follower.Oldest is not null)
        {
            quietSince = 0;
            if (!isEnding)
            {
                await TendAsync().ConfigureAwait(false);
                await shipping.WaitForPaceAsync(cancellation).ConfigureAwait(false);
            }

            await shipping.ShipAsync(cancellation).ConfigureAwait(false);
            return true;
        }

        if (follower.Needed is BaseReason.Bulk && !isEnding && !bases.IsBulkDue)
        {
            await TendAsync().ConfigureAwait(false);
            await patience.PauseAsync(Breath / 4, cancellation).ConfigureAwait(false);
            return true;
        }

        if (follower.Needed is { } reason && watch.Problem is null)
        {
            quietSince = 0;
            await bases.MakeAsync(reason, cancellation).ConfigureAwait(false);
            return true;
        }

        if (!isEnding)
        {
            await IdleAsync(cancellation).ConfigureAwait(false);
        }

        return false;
    }

    private async Task IdleAsync(CancellationToken cancellation)
    {
        await TendAsync().ConfigureAwait(false);
        bases.LoadEnded();
        if (quietSince == 0)
        {
            quietSince = context.Clock.GetTimestamp();
        }
        else if (context.Clock.GetElapsedTime(quietSince) >= RestBeforeNote)
        {
            KeepRest();
            if (follower.Needed is null && watch.Problem is null)
            {
                await RestAsync(cancellation).ConfigureAwait(false);
                return;
            }
        }

        var wait = Breath / 2;
        pulse.Beat(wait);
        _ = await follower.WaitAsync(wait, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Waits for a commit, or until <see cref="Attend"/> finds that the rest was long enough. With a timer for each of a thousand databases, some
    /// thread would wake all the time, and each spins for a while before it sleeps again.
    /// </summary>
    private async Task RestAsync(CancellationToken cancellation)
    {
        pulse.Beat(RestLength + Breath);
        Volatile.Write(ref restBegan, context.Clock.GetTimestamp());
        try
        {
            _ = await follower.WaitAsync(Timeout.InfiniteTimeSpan, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref restBegan, long.MaxValue);
        }
    }

    /// <summary>Does what is due beside the stream, whether the database is at rest or never.</summary>
    private async Task TendAsync()
    {
        await regular.TendAsync(writer.Transaction, follower.HasChanges && follower.Needed is null && watch.Problem is null).ConfigureAwait(false);
        hazards.Look();
        if (prune is { IsCompleted: true } pruned)
        {
            prune = null;
            await pruned.ConfigureAwait(false);
            if (pruning.IsRootless && follower.Needed is null && writer.UnsentBackup is null && follower.Gaps == gapsBeforePruning)
            {
                follower.Need(BaseReason.Gap, $"'{store.Location}' has no backup any more from which its transactions lead on");
            }
        }

        if (prune is null && follower.Needed is null && pruning.IsDue(context.Clock))
        {
            // What it finds missing may be mended for another reason meanwhile.
            gapsBeforePruning = follower.Gaps;
            prune = Task.Run(() => pruning.RunAsync(writer, background), CancellationToken.None);
        }
    }

    /// <summary>At rest, with everything stored: notes the database file, so that the next start needs no comparison although the log is gone.</summary>
    private void KeepRest()
    {
        if (follower.Needed is null && follower.Oldest is null && watch.Where() is (var place, { } rest) && writer.Transaction == follower.Transaction)
        {
            writer.KeepRest(place, rest);
        }
    }

    private void KeepRestAtEnd()
    {
        try
        {
            KeepRest();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            context.Warn($"The next start for '{path}' may begin with a backup, because its end cannot be noted in '{directory.Path}': {exception.Message}");
        }
    }

    /// <summary>An audit has found pages that no transaction has written: the stream continues from a backup. At the end it is only told.</summary>
    private void Found(string why)
    {
        if (IsStopping)
        {
            context.Warn($"'{path}': {why}.");
        }
        else
        {
            follower.Need(BaseReason.Gap, why);
        }
    }

    /// <summary>Warns of a problem, once for as long as it lasts.</summary>
    private void Trouble(string message)
    {
        if (standing.Problem != message)
        {
            context.Warn(message);
        }

        standing.Problem = message;
        board.Show();
    }

    private BackupProtection Status() =>
        new()
        {
            // Before the transactions: everything up to this moment is among them.
            LastLook = follower.Looked,
            Database = path,
            State = standing.State == ProtectionState.Following && watch.Problem is not null ? ProtectionState.Waiting : standing.State,
            Store = store.Location.ToString(),
            Lag = follower.Lag,
            Transaction = follower.Transaction,
            StoredTransaction = Math.Max(0, writer.Restorable),
            LastStored = shipping.LastStored,
            RestorableFrom = pruning.Oldest,
            RestorableTo = writer.Transaction < 0 || writer.UnsentBackup is not null ? null : writer.Time,
            Timeline = writer.Timeline,
            Segment = writer.Number,
            LogBytes = watch.LogBytes,
            Segments = shipping.Count,
            SegmentBytes = shipping.Bytes,
            Gaps = follower.Gaps,
            LastAudit = audit.Last,
            AuditFindings = audit.Findings,
            LastFinding = audit.LastFinding,
            MissingSegments = pruning.Missing,
            DelayMedian = shipping.Delays.Quantile(0.5),
            DelayP99 = shipping.Delays.Quantile(0.99),
            DelayWorst = shipping.Delays.Quantile(1),
            LastBackup = regular.Last,
            Since = since,
            ProcessId = Environment.ProcessId,
            Problem = standing.Problem ?? watch.Problem ?? hazards.Problem,
            ErrorId = standing.Failure?.ErrorId,
        };
}
