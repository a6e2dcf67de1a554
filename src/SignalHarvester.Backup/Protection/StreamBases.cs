using System.Globalization;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// The backups from which a stream continues where transactions are missing, or were too many. Each goes its way in three steps, any of which may be
/// the last of a process: it is made here, a segment names it, it is sent.
/// </summary>
/// <param name="databasePath">The database.</param>
/// <param name="follower">The follower of the database.</param>
/// <param name="writer">The writer of the stream.</param>
/// <param name="backups">Makes and sends them.</param>
/// <param name="audit">Judges what is found where one reads every page.</param>
/// <param name="regular">The ordinary backups, of which each one takes the place of the next.</param>
/// <param name="turns">When they are made and sent, beside those of other databases.</param>
/// <param name="patience">Waits for the store.</param>
/// <param name="pulse">The sign of life.</param>
/// <param name="standing">How the protection stands.</param>
/// <param name="board">Shows that to others.</param>
/// <param name="history">Records gaps.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class StreamBases(
    string databasePath, Follower follower, StreamWriter writer, StreamBackups backups, StreamAudit audit, RegularBackups regular, BackupTurns turns,
    Patience patience, Pulse pulse, ProtectionStanding standing, StatusBoard board, ProtectionHistory history, OperationContext context)
{
    private static readonly TimeSpan BeforeRetry = TimeSpan.FromSeconds(5);

    private readonly BulkPace bulk = new(context.Clock);
    private (BaseReason Reason, string BackupId, FollowedSnapshot Snapshot)? unwritten;
    private string? lost;

    /// <summary>Whether it is time for a backup in the place of transactions that were too many.</summary>
    public bool IsBulkDue => bulk.IsDue(follower.Quiet);

    /// <summary>A load that was too much for single transactions has ended.</summary>
    public void LoadEnded() => bulk.Ended();

    /// <summary>Takes the next step of a backup that was made.</summary>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>False if there is none.</returns>
    public async Task<bool> GoOnAsync(CancellationToken cancellation)
    {
        if (unwritten is var (reason, id, snapshot))
        {
            writer.WriteBase(reason, id, snapshot);
            unwritten = null;
            follower.BaseKept();
            return true;
        }

        if (writer.UnsentBackup is { } unsent && unsent != lost)
        {
            await SendAsync(unsent, cancellation).ConfigureAwait(false);
            return true;
        }

        return false;
    }

    /// <summary>Makes a backup from which the stream continues. Once the stream has begun, a failure is told, and it is tried again.</summary>
    /// <param name="reason">Why it has to.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="BackupException">The first one of a stream cannot be made.</exception>
    public async Task MakeAsync(BaseReason reason, CancellationToken cancellation)
    {
        if (regular.IsMaking)
        {
            pulse.Beat(Patience.LongestStep);

            // It was begun before, and would take the changes that this one needs.
            await regular.FinishAsync(writer.Transaction, cancellation).ConfigureAwait(false);
        }

        var why = follower.NeededWhy ?? string.Empty;
        var isNews = reason is BaseReason.Gap or BaseReason.Replaced;
        Tell(
            isNews,
            $"'{databasePath}' is backed up as it is now, because {why}{(isNews ? ": the transactions up to here are one step of its stream" : string.Empty)}.");
        var own = context with { Cancellation = cancellation, Report = ReportAlive };
        pulse.Beat(Patience.LongestStep);
        BackupMetadata backup;
        FollowedSnapshot snapshot;
        AuditResult? unexplained;
        try
        {
            (backup, snapshot, unexplained) = await turns.TakeAsync(
                () => backups.MakeBase(reason, why, own), () => pulse.Beat(Patience.LongestStep), cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (standing.State != ProtectionState.Starting && writer.Transaction >= 0)
        {
            standing.Problem = exception.Message;
            context.Warn($"'{databasePath}' could not be backed up, which its stream needs to continue; it is tried again. {exception.Message}");
            board.Show();
            await patience.PauseAsync(BeforeRetry, cancellation).ConfigureAwait(false);
            return;
        }

        standing.Problem = null;
        regular.Replaced(backup.Id);
        if (reason == BaseReason.Bulk)
        {
            bulk.Made();
        }

        unwritten = (reason, backup.Id, snapshot);
        if (isNews)
        {
            history.HadGap(backup.Id, why);
        }

        if (audit.Judge(backup, unexplained, writer.Transaction) is { } found)
        {
            context.Warn($"'{databasePath}': {found}.");
        }

        context.Verbose(string.Create(
            CultureInfo.InvariantCulture, $"The stream of '{databasePath}' continues from '{backup.Id}', which is transaction {snapshot.Transaction}."));
    }

    /// <summary>Sends a backup: before it is there, no later segment helps anybody.</summary>
    private async Task SendAsync(string id, CancellationToken cancellation)
    {
        var own = context with { Cancellation = cancellation };
        try
        {
            _ = await patience.UntilStoredAsync(
                () => turns.TakeAsync(
                    () =>
                    {
                        backups.Send(id, own);
                        return true;
                    },
                    () => pulse.Beat(Patience.LongestStep),
                    cancellation),
                cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.BackupNotFound)
        {
            // It stays noted as not sent, so that nothing after it counts as restorable, until another one has taken its place.
            lost = id;
            follower.Need(BaseReason.Gap, $"the backup '{id}', from which its stream continued, was removed before it was sent");
            return;
        }

        writer.BackupSent();
        follower.BaseStored();
    }

    private void Tell(bool isWarning, string message)
    {
        if (isWarning)
        {
            context.Warn(message);
        }
        else
        {
            context.Verbose(message);
        }
    }

    /// <summary>Passes on what an operation reports, which is a sign of life too.</summary>
    private void ReportAlive(OperationEvent reported)
    {
        pulse.Beat(Patience.LongestStep);
        context.Report(reported);
    }
}
