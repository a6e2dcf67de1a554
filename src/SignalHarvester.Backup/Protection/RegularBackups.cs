using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Makes an ordinary backup each hour beside the stream, and sends it once all of its transactions are stored.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="location">Where backups go.</param>
/// <param name="backups">Makes and sends them.</param>
/// <param name="audit">Says which ones read every page, and judges what they find.</param>
/// <param name="onFinding">Takes what an audit has found wrong, as a clause.</param>
/// <param name="turns">When they are made and sent, beside those of other databases.</param>
/// <param name="interval">The time between two, if anything changed.</param>
/// <param name="context">Clock, messages; its cancellation ends what goes on.</param>
internal sealed class RegularBackups(
    string databasePath, StoreLocation location, StreamBackups backups, StreamAudit audit, Action<string> onFinding, BackupTurns turns, TimeSpan interval,
    OperationContext context)
{
    private Task<OrdinaryBackup>? making;
    private (string Id, long? Transaction)? unsent;
    private Task? sending;
    private long lastBegan = context.Clock.GetTimestamp();

    /// <summary>The last backup that was made; null before the first.</summary>
    public string? Last { get; private set; }

    /// <summary>Whether one is being made, or was made and is not taken up yet.</summary>
    public bool IsMaking => making is not null;

    /// <summary>Takes up what has ended, sends what may be sent, and begins the next one when it is due.</summary>
    /// <param name="stored">The last transaction that is stored. A writer that is fenced sends no backup with more.</param>
    /// <param name="mayBegin">Whether there is something to back up, and it can be.</param>
    public async Task TendAsync(long stored, bool mayBegin)
    {
        if (making is { IsCompleted: true })
        {
            await FinishAsync(stored, CancellationToken.None).ConfigureAwait(false);
        }

        if (sending is { IsCompleted: true } sent)
        {
            sending = null;
            try
            {
                await sent.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
            {
                // Stopping. The next one that builds on it takes it along.
            }
            catch (BackupException exception)
            {
                context.Warn($"A backup of '{databasePath}' could not be sent to '{location}'; the next one is sent with it. {exception.Message}");
            }
        }

        if (unsent is var (id, upTo) && sending is null && (upTo is null || stored >= upTo))
        {
            unsent = null;
            sending = turns.TakeAsync(
                () =>
                {
                    backups.Send(id, context);
                    return true;
                },
                static () => { },
                context.Cancellation);
        }

        if (mayBegin && making is null && unsent is null && sending is null && context.Clock.GetElapsedTime(lastBegan) >= interval)
        {
            lastBegan = context.Clock.GetTimestamp();
            var readsAll = audit.IsDue;
            making = turns.TakeAsync(() => backups.MakeOrdinary(readsAll, context), static () => { }, context.Cancellation);
        }
    }

    /// <summary>Waits for the backup that is being made, if there is one.</summary>
    /// <param name="stored">The last transaction that is stored.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task FinishAsync(long stored, CancellationToken cancellation)
    {
        if (making is not { } made)
        {
            return;
        }

        await ((Task)made).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        making = null;
        try
        {
            var (backup, transaction, unexplained) = await made.ConfigureAwait(false);
            Last = backup.Id;
            unsent = (backup.Id, transaction);
            if (audit.Judge(backup, unexplained, stored) is { } why)
            {
                onFinding(why);
            }
        }
        catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
        {
            // Stopping. The next hour makes it anew; what is committed is shipped all the same.
        }
        catch (BackupException exception)
        {
            context.Warn($"The backup of '{databasePath}' between its transactions failed; the next one is made in {interval:c}. {exception.Message}");
        }
    }

    /// <summary>Notes that the backup from which the stream continues has taken the place of the next one.</summary>
    public void Replaced(string id)
    {
        Last = id;
        lastBegan = context.Clock.GetTimestamp();
    }

    /// <summary>Waits for the end of what goes on, after it was cancelled. What has ended well until then is taken up.</summary>
    /// <param name="stored">The last transaction that is stored.</param>
    public async Task EndAsync(long stored)
    {
        await Task.WhenAll(making ?? Task.CompletedTask, sending ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await FinishAsync(stored, CancellationToken.None).ConfigureAwait(false);
    }
}
