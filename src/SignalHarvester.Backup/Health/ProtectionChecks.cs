using System.Globalization;

namespace SignalHarvester.Backup.Health;

/// <summary>Checks whether the continuous protection of a database goes on, and what it has promised and kept.</summary>
internal static class ProtectionChecks
{
    private const string Check = "Protection";

    // The alerts for Prometheus use the same ones.
    private static readonly TimeSpan LateLag = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LateLook = TimeSpan.FromSeconds(30);

    // What a store that is gone for so long costs: the log cannot begin anew meanwhile, and nobody has seen to it.
    private static readonly TimeSpan LongLag = TimeSpan.FromMinutes(5);

    /// <summary>Returns the check; none for a database that was never protected.</summary>
    public static IEnumerable<HealthCheck> Of(HealthScope scope) => scope.Protection is { } one ? [Of(one, scope)] : [];

    private static HealthCheck Of(BackupProtection one, HealthScope scope)
    {
        var target = one.Store is { } store ? " -To " + HealthScope.Quote(store) : string.Empty;
        var direct = $"Start-SHBackupProtection {HealthScope.Quote(one.Database)} {scope.InDirectory}{target}";
        var start = scope.Schedules.FirstOrDefault(schedule => schedule.Action == ScheduleAction.Protect && scope.IsCovered(schedule)) is { } schedule
            ? ContinuityChecks.Start(schedule)
            : direct;
        var show = $"Get-SHBackupProtection {HealthScope.Quote(one.Database)} {scope.InDirectory}";
        var problem = one.Problem is { } said ? $" {said.TrimEnd('.')}." : string.Empty;
        var since = one.LastLook is { } look ? $" since {HealthText.Of(look)}" : string.Empty;
        return one.State switch
        {
            _ when one.AuditFindings > 0 => Found(
                HealthStatus.Critical,
                $"Pages of the database differ from what its transactions have written: another program wrote to the file, or a disk or memory fails. Its protection is {one.State}.{problem}",
                $"Get-SHBackupHistory {scope.InDirectory} -Operation StreamAudit"),
            _ when one.MissingSegments > 0 => Found(
                HealthStatus.Critical,
                $"The store lacks {HealthText.Count((int)one.MissingSegments, "segment")} of its stream: somebody has deleted what the transactions there need.{problem}",
                $"Get-SHBackupTransaction {HealthScope.Quote(one.Database)}{(one.Store is { } place ? " -From " + HealthScope.Quote(place) : string.Empty)}"),
            ProtectionState.Fenced => Found(
                HealthStatus.Critical, $"Another writer has continued its stream, so this machine has stopped.{problem}", direct + " -TakeOver"),
            ProtectionState.Ended => Found(HealthStatus.Critical, $"It has ended without being stopped: nothing is protected{since}.{problem}", start),
            ProtectionState.Stopped => Found(HealthStatus.Warning, $"It was stopped: nothing is protected{since}.", start),
            ProtectionState.Starting => Found(HealthStatus.Ok, $"It is starting.{problem}", null),
            ProtectionState.Waiting => Found(
                one.Lag > LateLook ? HealthStatus.Critical : HealthStatus.Warning, $"The database cannot be followed{since}.{problem}", show),
            _ when one.Lag > LateLag || one.State == ProtectionState.StoreUnavailable => Found(
                one.Lag > LongLag ? HealthStatus.Critical : HealthStatus.Warning,
                $"Transactions of the last {HealthText.Of(one.Lag)} are not stored yet.{problem}", show),
            _ when one.Problem is not null => Found(HealthStatus.Warning, problem.TrimStart(), show),
            _ => Found(
                one.Gaps > 0 ? HealthStatus.Warning : HealthStatus.Ok, string.Empty,
                one.Gaps > 0 ? $"Get-SHBackupHistory {scope.InDirectory} -Operation StreamGap" : null),
        };

        HealthCheck Found(HealthStatus status, string text, string? command) => new(Check, status, $"{text} {Measured(one)}".Trim(), command);
    }

    private static string Measured(BackupProtection one)
    {
        var window = one is { RestorableFrom: { } from, RestorableTo: { } to }
            ? $"Each transaction from {HealthText.Of(from)} to {HealthText.Of(to)} can be restored{(one.Gaps > 0 ? ", but for those inside gaps" : string.Empty)}."
            : "No transaction can be restored yet.";
        var delay = one is { DelayMedian: { } median, DelayP99: { } most, DelayWorst: { } worst }
            ? $" From commit to storage: {HealthText.Length(median)} for half of them, {HealthText.Length(most)} for 99 of 100, {HealthText.Length(worst)} at most (last day)."
            : string.Empty;
        var gaps = one.Gaps == 0 ? string.Empty : string.Create(
            CultureInfo.InvariantCulture,
            $" {HealthText.Count((int)one.Gaps, "gap")} since its start: there a backup took the place of transactions that may have been missed.");
        return $"Lag {HealthText.Length(one.Lag)}. {window}{delay}{gaps}";
    }
}
