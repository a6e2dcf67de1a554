using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Health;

/// <summary>Checks what a restore would return, how long it would take, and whether it would succeed.</summary>
internal static class RecoveryChecks
{
    /// <summary>An older drill proves little. The alerts for Prometheus use the same age.</summary>
    private static readonly TimeSpan DrillAge = TimeSpan.FromDays(35);

    /// <summary>The age of the newest verified backup, compared with the allowed loss.</summary>
    public static HealthCheck Point(HealthScope scope)
    {
        const string check = "RecoveryPoint";
        var rpo = scope.Settings.Health.Rpo;
        if (scope.Database is null)
        {
            return new HealthCheck(check, HealthStatus.Critical, scope.Directory.Exists
                ? "There is no backup here, and no database is configured."
                : $"The backup directory '{scope.Directory.Path}' does not exist, and no database is configured.", "New-SHBackupConfiguration");
        }

        if (scope.Reliable.FirstOrDefault() is not { } newest)
        {
            return new HealthCheck(check, HealthStatus.Critical, scope.Backups.Count == 0
                ? "There is no backup of this database."
                : $"None of the {HealthText.Count(scope.Backups.Count, "backup")} is verified and complete.", scope.BackUp());
        }

        if (scope.IsAhead(newest.Timestamp))
        {
            // Until that future date its age would be zero, whatever failed since.
            return new HealthCheck(
                check,
                HealthStatus.Critical,
                $"The newest verified backup, '{newest.Id}', is dated {HealthText.Of(newest.Timestamp - scope.Now)} in the future: the clock was wrong then, or is now, so its age is unknown. Set the clock, make a new backup, and remove those dated in the future.",
                scope.BackUp());
        }

        var age = scope.Now - newest.Timestamp;
        var isHere = File.Exists(scope.Database);

        // Its backups are made only if something was committed, and the transactions since are in the store.
        var stream = scope.Protection is { State: ProtectionState.Following, RestorableTo: not null } followed ? followed : null;
        var loss = stream is not null && stream.Lag < age ? stream.Lag : age;
        var status = loss <= rpo ? HealthStatus.Ok : loss <= 2 * rpo || !isHere ? HealthStatus.Warning : HealthStatus.Critical;
        var newer = scope.Backups.TakeWhile(backup => backup != newest).FirstOrDefault(backup => stream is null || !IsTestedLater(backup));
        var failing = newer is null ? string.Empty : $" Newer ones are not verified, or cannot be restored: '{newer.Id}'.";
        var odds = newest.Inconsistencies.Count == 0 ? string.Empty : $" Its database has inconsistencies: {string.Join("; ", newest.Inconsistencies)}.";
        var gone = isHere ? string.Empty : " The database is not on this machine.";
        var keys = RestoreKeys.Of(newest, scope);
        var found = (HealthStatus)Math.Max(
            (int)(status == HealthStatus.Ok && failing.Length + odds.Length > 0 ? HealthStatus.Warning : status), (int)keys.Status);
        return new HealthCheck(
            check,
            found,
            $"The newest verified backup is {HealthText.Of(age)} old; the limit is {HealthText.Of(rpo)} (health.rpo).{(stream is null ? string.Empty : " Its transactions since are stored.")}{failing}{gone}{odds}{keys.Text}",
            found == HealthStatus.Ok ? null
                : !isHere ? scope.GetNewest
                : status == HealthStatus.Ok && keys.Status == HealthStatus.Ok && newer is { VerificationOrder: null, Depth: not null } ? scope.Test(newer)
                : scope.BackUp(keys.Status == HealthStatus.Ok ? string.Empty : " -Type Full"));
    }

    /// <summary>
    /// Whether a backup is one of those that a protection makes between its transactions, without reading the database: it tests them once they are as
    /// old as the transactions that it keeps.
    /// </summary>
    private static bool IsTestedLater(BackupMetadata backup) =>
        backup is { VerificationOrder: null, Depth: not null, IsSourceCorrupt: false } && StreamPosition.Of(backup) is not null;

    /// <summary>The duration of the last drill, compared with the allowed time of a restore.</summary>
    public static HealthCheck Time(HealthScope scope)
    {
        const string check = "RecoveryTime";
        var rto = scope.Settings.Health.Rto;
        var command = scope.GetNewest + " | Invoke-SHRestoreDrill";
        var drills = scope.Events.Where(
            told => told.Operation is BackupOperation.Drill or BackupOperation.StreamDrill && told.Status != BackupEventStatus.Stopped
                && told.Database == scope.Database && told.Database is not null).ToList();
        if (drills.Find(told => told.Operation == BackupOperation.StreamDrill) is { Status: BackupEventStatus.Failed } failed)
        {
            // A drill of a backup says nothing of the transactions after it.
            var from = scope.Protection?.Store is { } store ? " -From " + HealthScope.Quote(store) : string.Empty;
            return new HealthCheck(
                check, HealthStatus.Critical,
                $"The last restore drill of its transactions, {HealthText.Of(scope.Now - failed.Timestamp)} ago, failed: {failed.ErrorMessage}",
                $"Invoke-SHRestoreDrill -Stream -Database {HealthScope.Quote(failed.Database!)} {scope.InDirectory}{from}");
        }

        if (drills.FirstOrDefault() is not { } drill)
        {
            return new HealthCheck(
                check, HealthStatus.Warning, "No restore has ever been tested, so it is unknown whether one works or how long it takes.",
                scope.Reliable.Any() ? command : scope.BackUp());
        }

        var age = scope.Now - drill.Timestamp;
        return drill.Status == BackupEventStatus.Failed
            ? new HealthCheck(check, HealthStatus.Critical, $"The last restore drill, {HealthText.Of(age)} ago, failed: {drill.ErrorMessage}", command)
            : scope.IsAhead(drill.Timestamp) ? new HealthCheck(
                check, HealthStatus.Warning,
                $"The last restore drill is dated {HealthText.Of(-age)} in the future: the clock was wrong then, or is now, so its age is unknown.", command)
            : drill.Duration > rto ? new HealthCheck(
                check, HealthStatus.Critical, $"The last restore drill took {HealthText.Of(drill.Duration)}; at most {HealthText.Of(rto)} is allowed.",
                scope.BackUp(" -Type Full"))
            : age > DrillAge ? new HealthCheck(
                check, HealthStatus.Warning, $"The last restore drill was {HealthText.Of(age)} ago; run one every month.", command)
            : new HealthCheck(
                check, HealthStatus.Ok,
                $"The last restore drill, {HealthText.Of(age)} ago, took {HealthText.Of(drill.Duration)}; at most {HealthText.Of(rto)} is allowed.", null);
    }

    /// <summary>Whether every backup in the chain is there, and the chain is not too long.</summary>
    public static HealthCheck Chain(HealthScope scope)
    {
        const string check = "Chain";
        var broken = scope.Backups.Where(backup => BackupChain.IsIncrement(backup) && backup.Depth is null).ToList();
        if (broken.Count > 0)
        {
            return new HealthCheck(
                check,
                broken.Contains(scope.Backups[0]) ? HealthStatus.Critical : HealthStatus.Warning,
                $"{HealthText.Count(broken.Count, "backup")} cannot be restored, because a backup of their chain is missing: {string.Join(", ", broken.Take(3).Select(backup => backup.Id))}{(broken.Count > 3 ? " …" : string.Empty)}.",
                scope.BackUp(" -Type Full"));
        }

        var missing = scope.Backups.Where(backup => !File.Exists(backup.BackupPath)).ToList();
        if (missing.Count > 0)
        {
            return new HealthCheck(
                check, HealthStatus.Critical,
                $"The file of {HealthText.Count(missing.Count, "backup")} is missing: {string.Join(", ", missing.Take(3).Select(backup => backup.Id))}{(missing.Count > 3 ? " …" : string.Empty)}.",
                $"Invoke-SHBackupScrub {scope.InDirectory}");
        }

        var length = scope.Reliable.FirstOrDefault()?.ChainLength ?? 1;
        return length - 1 > scope.Settings.Incremental.MaxIncrements
            ? new HealthCheck(
                check, HealthStatus.Warning,
                $"The newest backup builds on {HealthText.Count(length - 1, "other backup")}, but should build on at most {scope.Settings.Incremental.MaxIncrements}.",
                scope.BackUp(" -Type Full"))
            : new HealthCheck(
                check, HealthStatus.Ok,
                scope.Backups.Count == 0
                    ? "There is no chain yet."
                    : $"All chains are complete; a restore of the newest backup reads {HealthText.Count(length, "file")}.",
                null);
    }

    /// <summary>Whether backups are encrypted as configured.</summary>
    public static HealthCheck Encryption(HealthScope scope)
    {
        const string check = "Encryption";
        var plain = scope.Backups.Where(backup => !backup.IsEncrypted).ToList();
        var isWanted = scope.Settings.Encryption.Recipients.Count > 0;
        if (plain.Count == 0 || (!isWanted && plain.Count == scope.Backups.Count))
        {
            return new HealthCheck(check, HealthStatus.Ok, scope.Backups.Count == 0 ? "There is no backup yet."
                : plain.Count == 0 ? scope.Backups.Count == 1 ? "The backup is encrypted." : $"All {scope.Backups.Count} backups are encrypted."
                : "Encryption is not configured; anybody who can read the files can read the database.", null);
        }

        // Whether an old plain backup may go is for people to decide: it can be the only one that somebody here can open and test.
        var recipients = scope.Backups.FirstOrDefault(backup => backup.IsEncrypted)?.Recipients ?? [];
        var newestIsPlain = plain.Contains(scope.Backups[0]);
        return new HealthCheck(
            check,
            HealthStatus.Warning,
            $"{plain.Count} of the {HealthText.Count(scope.Backups.Count, "backup")} are not encrypted, {(isWanted ? "although encryption is configured" : "although others are")}.{(newestIsPlain ? string.Empty : " Remove them once an encrypted one has passed a full test.")}",
            !newestIsPlain ? $"Get-SHBackup {scope.InDirectory} | Where-Object {{ -not $_.IsEncrypted }}"
            : isWanted ? scope.BackUp(" -Type Full")
            : recipients.Count > 0 ? scope.BackUp($" -Type Full -Recipient {string.Join(", ", recipients.Select(HealthScope.Quote))}")
            : $"New-SHBackupKey -Path {HealthScope.Quote(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "shbackup-key.txt"))}");
    }
}
