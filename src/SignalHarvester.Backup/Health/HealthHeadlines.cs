using System.Globalization;

namespace SignalHarvester.Backup.Health;

/// <summary>The numbers at the top of the page: what somebody wants to know who has ten seconds.</summary>
/// <param name="reports">The reports, one for each backup directory.</param>
/// <param name="now">The time of the reports.</param>
internal sealed class HealthHeadlines(IReadOnlyList<HealthReport> reports, DateTimeOffset now)
{
    private readonly IReadOnlyList<BackupHealth> databases = [.. reports.SelectMany(report => report.Databases)];

    /// <summary>Returns the numbers.</summary>
    public string ToHtml() => $"<ul class=\"tiles\">{Protected()}{LastDay()}{Verified()}{Restore()}{OffSite()}</ul>\n";

    private string Protected()
    {
        var good = databases.Count(health => Status(health, "RecoveryPoint") == HealthStatus.Ok);
        return Tile(
            "Databases protected", Of(good, databases.Count), "by a verified backup that is new enough", All(good, databases.Count, HealthStatus.Critical));
    }

    private string LastDay()
    {
        var since = now - TimeSpan.FromDays(1);
        var failed = reports.SelectMany(report => report.Events)
            .Count(told => told is { Operation: BackupOperation.Create, Status: BackupEventStatus.Failed } && told.Timestamp >= since);
        var made = reports.SelectMany(report => report.Backups).Count(backup => backup.Timestamp >= since);
        HealthStatus? status = made + failed == 0 ? null : All(made, made + failed, HealthStatus.Warning);
        return Tile("Last 24 hours", Of(made, made + failed), "backups made, of those begun", status);
    }

    private string Verified()
    {
        var all = reports.Sum(report => report.Backups.Count);
        var good = reports.Sum(report => report.Backups.Count(backup => backup.Verified));
        return Tile("Verified", Of(good, all), "of all backups", All(good, all, HealthStatus.Warning));
    }

    private string Restore()
    {
        var drills = reports.SelectMany(report => report.Events)
            .Where(told => told is { Operation: BackupOperation.Drill or BackupOperation.StreamDrill, Status: BackupEventStatus.Success }
                && told.Timestamp <= now)
            .ToList();
        var tested = drills.Select(told => told.Database).Distinct().Count();
        var worst = databases.Select(health => Status(health, "RecoveryTime")).DefaultIfEmpty(HealthStatus.Warning).Max();
        return drills.MaxBy(told => told.Timestamp) is { } newest
            ? Tile(
                "Last proven restore", HealthText.Of(now - newest.Timestamp) + " ago",
                $"in {HealthText.Length(newest.Duration)}; {Of(tested, databases.Count)} databases were ever tested", worst)
            : Tile("Last proven restore", "never", "no restore drill has passed", worst);
    }

    private string OffSite()
    {
        var away = databases.Count(health => reports.Any(report => report.Backups.Any(
            backup => backup.BackupDirectory == health.BackupDirectory && backup.DatabasePath == health.DatabasePath
                && backup.Copies.Any(copy => copy.Provider != CloudProvider.Directory))));
        return Tile("Off-site", Of(away, databases.Count), "databases with a copy in an object store", All(away, databases.Count, HealthStatus.Warning));
    }

    private static HealthStatus Status(BackupHealth health, string check) =>
        health.Checks.Where(one => one.Check == check).Select(one => one.Status).DefaultIfEmpty(HealthStatus.Ok).Max();

    private static HealthStatus All(int good, int all, HealthStatus otherwise) => good == all && all > 0 ? HealthStatus.Ok : otherwise;

    private static string Of(int some, int all) => string.Create(CultureInfo.InvariantCulture, $"{some} of {all}");

    private static string Tile(string title, string value, string meaning, HealthStatus? status) =>
        $"<li{(status is { } known ? $" class=\"{known.ToString().ToLowerInvariant()}\"" : string.Empty)}><span class=\"name\">{HtmlText.Of(title)}</span><strong>{HtmlText.Of(value)}</strong><span class=\"soft\">{HtmlText.Of(meaning)}</span></li>";
}
