using System.Globalization;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Health;

/// <summary>Checks whether backups continue to be made, in enough places, on disks with enough room.</summary>
internal static class ContinuityChecks
{
    /// <summary>A machine that was off, or busy, starts a schedule late.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    private static readonly TimeSpan GrowthWindow = TimeSpan.FromDays(30);
    private static readonly TimeSpan ScrubAge = TimeSpan.FromDays(35);

    /// <summary>Whether a schedule backs up the database, and did so when it was last due.</summary>
    public static HealthCheck Schedule(HealthScope scope)
    {
        const string check = "Schedule";
        var covering = scope.Schedules.Where(scope.IsCovered).ToList();
        if (covering.Count == 0)
        {
            return new HealthCheck(check, HealthStatus.Warning, "No schedule visible to this account backs up this database.",
                scope.Database is null
                    ? "New-SHBackupConfiguration"
                    : $"Register-SHBackupSchedule -Recommended {HealthScope.Quote(scope.Database)} {scope.InDirectory}");
        }

        if (!scope.Settings.Enabled)
        {
            return new HealthCheck(
                check, HealthStatus.Warning, "Schedules are switched off in the configuration (app.backup.enabled).", "Get-SHBackupConfiguration");
        }

        return covering.Select(schedule => Schedule(schedule, scope)).MaxBy(found => found.Status)!;
    }

    /// <summary>The 3-2-1 rule: three copies, in two kinds of place, one of them off-site.</summary>
    public static HealthCheck Copies(HealthScope scope)
    {
        const string check = "Copies";
        if (scope.Reliable.FirstOrDefault() is not { } newest)
        {
            return new HealthCheck(check, HealthStatus.Warning, "There is no verified backup to copy.", scope.BackUp());
        }

        var store = scope.Settings.Stores.Any(store => store.Enabled) ? string.Empty : " -To '<folder, or s3://bucket/prefix/>' -CreateContainer";
        var send = $"{scope.GetNewest} | Send-SHBackup{store}";
        if (scope.Reliable.FirstOrDefault(backup => backup.Copies.Count > 0) is not { } copied)
        {
            return new HealthCheck(
                check, HealthStatus.Warning,
                "All backups are on this machine. If it is lost, so are they (2 copies with the database, 1 kind of place, none elsewhere).", send);
        }

        var live = File.Exists(scope.Database) ? 1 : 0;
        var copies = live + 1 + copied.Copies.Count;
        var kinds = 1 + copied.Copies.Select(copy => copy.Provider).Distinct().Count();
        var elsewhere = copied.Copies.Count(copy => copy.Provider != CloudProvider.Directory);
        var found = string.Create(CultureInfo.InvariantCulture, $"{copies} copies, {kinds} kinds of place, {(elsewhere == 0 ? "none" : elsewhere)} in a cloud");
        var age = scope.Now - copied.Timestamp;
        return scope.IsAhead(copied.Timestamp) ? new HealthCheck(
            check, HealthStatus.Warning,
            $"The newest backup with a copy elsewhere is dated {HealthText.Of(-age)} in the future, so its age is unknown ({found}).", send)
            : age > scope.Settings.Health.Rpo && copied != newest ? new HealthCheck(
                check, HealthStatus.Warning, $"The newest backup with a copy elsewhere is {HealthText.Of(age)} old ({found}).", send)
            : copies < 3 || elsewhere == 0 ? new HealthCheck(
                check, HealthStatus.Warning,
                $"Keep three copies in two kinds of place, one of them off-site: there are {found}. A folder cannot be recognised as off-site.",
                $"{scope.GetNewest} | Send-SHBackup -To '<s3://bucket/prefix/>'")
            : new HealthCheck(check, HealthStatus.Ok, $"There are {found}, of a backup {HealthText.Of(age)} old.", null);
    }

    /// <summary>When the disk of the backups will be full at the present rate.</summary>
    public static HealthCheck Disk(HealthScope scope)
    {
        const string check = "Disk";
        if (!scope.Directory.Exists)
        {
            return new HealthCheck(check, HealthStatus.Ok, "There is no backup directory yet.", null);
        }

        long free;
        try
        {
            free = FreeSpace.Of(scope.Directory.Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new HealthCheck(
                check, HealthStatus.Warning, $"The free space of the disk cannot be read: {exception.Message}", $"Get-SHBackup {scope.InDirectory}");
        }

        var perDay = GrowthPerDay(scope);
        if (perDay <= 0)
        {
            return new HealthCheck(check, HealthStatus.Ok, $"{HealthText.Of(free)} are free, and the backups do not grow.", null);
        }

        var days = free / perDay;
        var status = days < 7 ? HealthStatus.Critical : days < 30 ? HealthStatus.Warning : HealthStatus.Ok;
        var left = days > 3650 ? "more than ten years" : string.Create(CultureInfo.InvariantCulture, $"{days:0} days");
        return new HealthCheck(
            check,
            status,
            $"{HealthText.Of(free)} are free; at the present growth of {HealthText.Of((long)perDay)} a day they last for {left}.",
            status == HealthStatus.Ok ? null : $"Invoke-SHBackupRetention {scope.InDirectory} -WhatIf");
    }

    /// <summary>Whether the stored files were read again, and which are in quarantine.</summary>
    public static HealthCheck Scrub(HealthScope scope)
    {
        const string check = "Scrub";
        var command = $"Invoke-SHBackupScrub {scope.InDirectory}";
        if (scope.Backups.Count == 0)
        {
            return new HealthCheck(check, HealthStatus.Ok, "There is no stored file to read.", null);
        }

        var unread = scope.Backups.Count(backup => backup.LastRead is null);
        if (unread > 0)
        {
            return new HealthCheck(
                check, HealthStatus.Warning, $"{HealthText.Count(unread, "stored file")} of {scope.Backups.Count} were never re-read.", command);
        }

        var ahead = scope.Backups.Count(backup => scope.IsAhead(backup.LastRead!.Value));
        if (ahead > 0)
        {
            return new HealthCheck(
                check, HealthStatus.Warning,
                $"{HealthText.Count(ahead, "stored file")} of {scope.Backups.Count} were last read at a time in the future: the clock was wrong then, or is now. Read all again.",
                command);
        }

        var oldest = scope.Now - scope.Backups.Min(backup => backup.LastRead)!.Value;
        var failed = scope.Events.FirstOrDefault(told => told is { Operation: BackupOperation.Scrub, Status: BackupEventStatus.Failed }
            && told.Database == scope.Database && scope.Now - told.Timestamp < ScrubAge);
        return failed is not null ? new HealthCheck(
            check, HealthStatus.Warning,
            $"The scrub of {HealthText.Of(failed.Timestamp)} found a bad file: '{failed.BackupId}' ({failed.ErrorId}). Check the disk.",
            $"Get-SHBackupHistory {scope.InDirectory} -Operation Scrub -Failed")
            : oldest > ScrubAge ? new HealthCheck(
                check, HealthStatus.Warning, $"A stored file was last read {HealthText.Of(oldest)} ago; read each one once a month.", command)
            : new HealthCheck(check, HealthStatus.Ok, $"Each stored file was read and found good in the last {HealthText.Of(oldest)}.", null);
    }

    /// <summary>Returns a command that starts a continuous schedule.</summary>
    public static string Start(BackupSchedule schedule) => schedule.Backend == ScheduleBackend.Systemd
        ? $"systemctl {(schedule.Scope == ScheduleScope.System ? string.Empty : "--user ")}start {Path.GetFileNameWithoutExtension(schedule.DefinitionPath)}.service"
        : $"Invoke-SHBackupSchedule {HealthScope.Quote(schedule.Name)}";

    private static HealthCheck Schedule(BackupSchedule schedule, HealthScope scope)
    {
        const string check = "Schedule";
        var name = $"The schedule '{schedule.Name}'";
        var run = $"Invoke-SHBackupSchedule {HealthScope.Quote(schedule.Name)}";
        var due = schedule.Trigger.IsContinuous ? DateTimeOffset.MinValue : schedule.Trigger.Last(scope.Now - Grace - schedule.RandomDelay);
        var isAhead = schedule.LastRun is { } moment && scope.IsAhead(moment);
        var ran = isAhead ? $"last ran {HealthText.Of(schedule.LastRun!.Value - scope.Now)} in the future"
            : schedule.LastRun is { } last ? $"last ran {HealthText.Of(scope.Now - last)} ago"
            : "has not run yet";
        var update = $"Update-SHBackupSchedule {HealthScope.Quote(schedule.Name)} -Scope {schedule.Scope}";
        return schedule.Status is ScheduleStatus.Missing or ScheduleStatus.Broken ? new HealthCheck(
            check, HealthStatus.Critical, $"{name} does not run any more. {schedule.StatusReason}", update)
            : schedule.LastResult == ScheduleResult.Failed ? new HealthCheck(
                check, HealthStatus.Critical, $"{name} {ran}, and failed: {schedule.LastError}", run)
            : isAhead ? new HealthCheck(
                check, HealthStatus.Warning, $"{name} {ran}: the clock was wrong then, or is now, so it is unknown whether the schedule works.", run)
            : schedule.LastRun is { } served && served < due ? new HealthCheck(
                check, HealthStatus.Critical, $"{name} {ran}; it should have run at {HealthText.Of(due)}.", run)
            : schedule.Status == ScheduleStatus.Changed ? new HealthCheck(
                check, HealthStatus.Warning, $"{name} is not as it would be registered now. {schedule.StatusReason}", update)
            : schedule.LastResult is ScheduleResult.Partial or ScheduleResult.Warning ? new HealthCheck(
                check, HealthStatus.Warning, $"{name} {ran}, and a part failed: {schedule.LastError}", run)
            : schedule.NextRun is { } next ? new HealthCheck(check, HealthStatus.Ok, $"{name} {ran}; its next run is at {HealthText.Of(next)}.", null)
            : schedule.IsRunning == false ? new HealthCheck(
                check, HealthStatus.Warning, $"{name} does not run at the moment.", Start(schedule))
            : new HealthCheck(check, HealthStatus.Ok, $"{name} runs.", null);
    }

    /// <summary>The bytes made minus the bytes removed, for each day of the last month, or since the first backup.</summary>
    private static double GrowthPerDay(HealthScope scope)
    {
        var recent = scope.Events.Where(told => told.Status == BackupEventStatus.Success && told.Provider is null && scope.Now - told.Timestamp <= GrowthWindow)
            .ToList();
        var made = recent.Where(told => told.Operation is BackupOperation.Create or BackupOperation.Receive).ToList();
        if (made.Count == 0)
        {
            // Without a history, the backups that still exist stand for all that were made in this month.
            var listed = scope.Backups.Where(backup => scope.Now - backup.Timestamp <= GrowthWindow).ToList();
            return listed.Count == 0 ? 0 : listed.Sum(backup => backup.Size) / Math.Max(1, (scope.Now - listed[^1].Timestamp).TotalDays);
        }

        // A first day counts as a whole one: two backups within a minute are no rate.
        var days = Math.Max(1, (scope.Now - recent.Min(told => told.Timestamp)).TotalDays);
        return (made.Sum(told => told.Bytes ?? 0) - recent.Where(told => told.Operation is BackupOperation.Remove or BackupOperation.Retention)
            .Sum(told => told.Bytes ?? 0)) / days;
    }
}
