using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Standby;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Standby;

/// <summary>
/// A standby on this machine: its database, and the state beside it, which always tells at which transaction it is. What somebody else has written to it
/// is never overwritten.
/// </summary>
internal sealed class KeptStandby : IDisposable
{
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestBusy = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly string database;
    private readonly string store;
    private readonly StandbyFile file;
    private readonly OperationContext context;
    private StandbyDatabase? open;
    private byte[]? restoredFirstPage;

    /// <summary>Takes hold of the state; the database is not opened yet.</summary>
    /// <param name="path">The standby's full path.</param>
    /// <param name="database">The protected database.</param>
    /// <param name="store">Where its stream is, as a text.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="BackupException">StandbyRunning; DestinationNotWritable, WriteFailed.</exception>
    public KeptStandby(string path, string database, string store, OperationContext context)
    {
        this.path = path;
        this.database = database;
        this.store = store;
        this.context = context;
        file = StandbyFile.Open(path);
        Sealer = file.State?.Sealer;
    }

    /// <summary>Where it is; without a meaning before it is there.</summary>
    public StandbyPlace Place { get; private set; } = null!;

    /// <summary>What tells the seal of its promotion from another machine's; null unless one was begun. It is kept with the next state.</summary>
    public ulong? Sealer { get; set; }

    /// <summary>Whether there is no standby yet, or a restore was begun: then nothing can be lost by one.</summary>
    public bool IsToBeRestored => file.State is not { IsRestoring: false } || !File.Exists(path);

    /// <summary>Whether its database is open here.</summary>
    public bool IsOpen => open is not null;

    /// <summary>Bytes in a page.</summary>
    public int PageSize => open!.PageSize;

    /// <summary>Pages of the database.</summary>
    public uint PageCount => open!.PageCount;

    /// <summary>Goes on where it was left.</summary>
    /// <param name="prove">Finds out by the store at which place of a state it is, if its log was emptied by somebody else; null if at none.</param>
    /// <returns>Why that cannot be, as a clause; null if it is so.</returns>
    /// <exception cref="BackupException">SourceLocked, DestinationInvalid, DatabaseOpenInProcess.</exception>
    public string? Continue(Func<StandbyState, StandbyPlace?> prove)
    {
        var state = file.State!;
        if (state.Database != database || state.Store != store)
        {
            return $"it is a standby of '{state.Database}' in '{state.Store}'";
        }

        Open();
        if (new[] { state.Next, state.Place }.OfType<StandbyPlace>().FirstOrDefault(open!.IsAt) is { } known)
        {
            Place = known;
            return null;
        }

        var isEmptied = open.End.MaxFrame == 0;
        Close();
        if (isEmptied && prove(state) is { } proved)
        {
            Open();
            Place = proved;
            return open.IsAt(proved) ? null : "somebody writes to it";
        }

        return "its content is not that of the last transaction that it got from there";
    }

    /// <summary>Begins anew after a restore.</summary>
    /// <param name="begins">Where the restore has led, in the stream.</param>
    /// <exception cref="BackupException">SourceLocked, DestinationInvalid, DatabaseOpenInProcess; StandbyChanged; DestinationLocked.</exception>
    /// <exception cref="IOException">The operating system failed.</exception>
    public async Task BeginAsync(StandbyPlace begins)
    {
        Close();
        Open();
        try
        {
            if (restoredFirstPage is { } page)
            {
                // SQLite's copy has counted itself and a new schema there: a reader that knows the schema by that number would not see the one to which
                // the primary gives it later.
                await AppendAsync([new FollowedPage(1, page)], open!.PageCount, _ => { }).ConfigureAwait(false);
                restoredFirstPage = null;
            }

            Move(begins with { Log = LogPlace.Of(open!.End)?.ToPosition(), Rest = open.Copy() });
        }
        catch
        {
            // It is at no known place, so it must be restored once more.
            Close();
            throw;
        }
    }

    /// <summary>Notes that it is at a place in the stream, with the content that it has.</summary>
    /// <exception cref="IOException">That cannot be kept.</exception>
    public void Move(StandbyPlace now)
    {
        file.Save(State(now));
        Place = now;
    }

    /// <summary>Refuses a standby that somebody else has written to, or another file in its place.</summary>
    /// <exception cref="BackupException">StandbyChanged.</exception>
    public void RefuseChanged() => Guarded(() =>
    {
        if (!open!.IsUnchanged())
        {
            open.Mend();
            if (!open.IsUnchanged())
            {
                throw Changed("somebody else has written to it");
            }
        }

        return true;
    });

    /// <summary>Notes that a restore over it begins, from which on it may be what it was or what it becomes.</summary>
    /// <param name="image">What it becomes, as a file; null if there is no database yet.</param>
    /// <exception cref="BackupException">StandbyChanged.</exception>
    /// <exception cref="IOException">That cannot be kept.</exception>
    public void RestoreBegins(string? image)
    {
        if (IsOpen)
        {
            RefuseChanged();
        }

        file.Save(State(Place) with { IsRestoring = true });
        restoredFirstPage = image is null ? null : ReadFirstPage(image);
    }

    /// <summary>Appends pages as one commit. The state names both places before the log has the second one.</summary>
    /// <param name="pages">The pages.</param>
    /// <param name="after">Where it is with them, in the stream.</param>
    /// <exception cref="BackupException">StandbyChanged; DestinationLocked.</exception>
    /// <exception cref="IOException">The operating system failed. Then nothing has happened.</exception>
    public async Task AppendAsync(StandbyPages pages, StandbyPlace after)
    {
        await AppendAsync(
            pages.Pages,
            pages.PageCount,
            planned =>
            {
                after = after with { Log = LogPlace.Of(planned.After)!.Value.ToPosition(), Rest = null };
                file.Save(State(Place) with { Next = after });
            }).ConfigureAwait(false);
        Place = after;
    }

    /// <summary>Copies the log to the file and empties it, as far as readers allow it. Each state is kept before the next one begins.</summary>
    /// <param name="longest">The frames that the log may have; it is left alone up to that.</param>
    /// <returns>Whether the file is whole without its log.</returns>
    public bool Tidy(uint longest)
    {
        if (open!.End.MaxFrame <= longest)
        {
            return open.End.MaxFrame == 0;
        }

        if (Guarded(open.Copy) is not { } mark)
        {
            return false;
        }

        Move(Place with { Rest = mark });
        open.Empty();
        return true;
    }

    /// <summary>Makes an ordinary database of it.</summary>
    public void Release()
    {
        Leave();
        file.Delete();
    }

    /// <summary>The error for a standby that is not as it was left.</summary>
    /// <param name="why">Why, as a clause.</param>
    public BackupException Changed(string why) => new(
        BackupErrorId.StandbyChanged, path,
        $"'{path}' cannot go on as a standby: {why}. It was not changed. If somebody needs what is in it, use it as it is, without '{StandbyFile.Suffix}'; if nobody does, run -Follow with -Force: it is restored anew, and what it was is kept as a safety backup.");

    /// <inheritdoc/>
    public void Dispose()
    {
        using (file)
        {
            Leave();
        }
    }

    private async Task AppendAsync(IReadOnlyList<FollowedPage> pages, uint pageCount, Action<PlannedAppend> note)
    {
        var began = context.Clock.GetTimestamp();
        while (true)
        {
            var planned = open!.Plan(pages, pageCount);
            note(planned);
            switch (Guarded(() => open.Append(planned)))
            {
                case AppendOutcome.Appended:
                    return;
                case AppendOutcome.Changed:
                    throw Changed("somebody else has written to it");
                case var _ when context.Clock.GetElapsedTime(began) >= LongestBusy:
                    throw new BackupException(
                        BackupErrorId.DestinationLocked, path,
                        $"Another process holds the write lock of '{path}' or checkpoints it. A standby is there to be read: end its transaction.");
                default:
                    // Whoever writes or checkpoints does so for a moment; nobody tells when it is over.
                    open.Mend();
                    await Task.Delay(Breath, context.Clock, context.Cancellation).ConfigureAwait(false);
                    break;
            }
        }
    }

    private static byte[] ReadFirstPage(string image)
    {
        using var file = File.OpenHandle(image);
        var header = new byte[DatabaseHeader.Size];
        _ = file.ReadFully(header, 0);
        var page = new byte[DatabaseHeader.PageSize(header)];
        _ = file.ReadFully(page, 0);
        return page;
    }

    private StandbyState State(StandbyPlace? now) => new() { Database = database, Store = store, Place = now, Sealer = Sealer };

    private void Open()
    {
        try
        {
            open = Guarded(() => StandbyDatabase.Open(path));
        }
        catch (SqliteException exception)
        {
            throw new BackupException(
                SqliteResult.IsBusy(exception.SqliteErrorCode) ? BackupErrorId.SourceLocked : BackupErrorId.DestinationInvalid, path,
                $"'{path}' cannot be opened: {exception.Message} Check what has it open; if nobody needs it, delete it, and start again.", exception);
        }
    }

    private void Close()
    {
        open?.Dispose();
        open = null;
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (DatabaseReplacedException exception)
        {
            throw Changed(exception.Message);
        }
    }

    /// <summary>Leaves it as one whole file, if its readers allow that within a second.</summary>
    private void Leave()
    {
        if (!IsOpen)
        {
            return;
        }

        try
        {
            var began = context.Clock.GetTimestamp();
            var isWhole = Tidy(longest: 0);
            while (!isWhole && open!.IsUnchanged() && context.Clock.GetElapsedTime(began) < LongestLeave)
            {
                // A reader that ends its transaction tells nobody.
                Thread.Sleep(Breath);
                isWhole = Tidy(longest: 0);
            }

            if (isWhole)
            {
                open!.Close();
            }
        }
        catch (Exception exception) when (exception is BackupException or DatabaseReplacedException or IOException or UnauthorizedAccessException)
        {
            context.Warn($"'{path}' was left with its log: {exception.Message}");
        }
        finally
        {
            Close();
        }
    }
}
