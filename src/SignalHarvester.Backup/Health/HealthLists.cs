using System.Globalization;

namespace SignalHarvester.Backup.Health;

/// <summary>The lists of the page: failures, next runs, the newest backups, and the places of all copies.</summary>
/// <param name="reports">The reports, one for each backup directory.</param>
/// <param name="schedules">All schedules of this machine.</param>
/// <param name="now">The time of the reports.</param>
internal sealed class HealthLists(IReadOnlyList<HealthReport> reports, IReadOnlyList<BackupSchedule> schedules, DateTimeOffset now)
{
    private const int Most = 10;
    private static readonly TimeSpan FailureAge = TimeSpan.FromDays(30);

    /// <summary>Returns the failures of the last month, with their reasons; nothing if there was none.</summary>
    public string Failures()
    {
        var failed = reports.SelectMany(report => report.Events)
            .Where(told => told.Status == BackupEventStatus.Failed && now - told.Timestamp <= FailureAge).OrderByDescending(told => told.Timestamp).ToList();

        // A run of a schedule fails for the reason of one of its steps, which is in the list already.
        var causes = failed.Where(told => told.Operation != BackupOperation.Schedule).Select(told => told.ErrorMessage).ToHashSet(StringComparer.Ordinal);
        var shown = failed.Where(told => told.Operation != BackupOperation.Schedule || !causes.Contains(told.ErrorMessage)).ToList();
        if (shown.Count == 0)
        {
            return string.Empty;
        }

        var table = new HtmlTable(("When (UTC)", "w"), ("What", "w"), ("Database", string.Empty), ("Why", string.Empty));
        return Section("failures", $"Failures of the last 30 days ({Shown(shown.Count)})", table.ToHtml(shown.Take(Most).Select(told => new[]
        {
            Moment(told.Timestamp), HtmlText.Of(HealthPage.Words($"{told.Operation}")), FileName(told.Database),
            $"{HtmlText.Isolated(told.ErrorMessage ?? told.ErrorId)}<div class=\"soft\">{HtmlText.Of(told.ErrorId)}</div>",
        })));
    }

    /// <summary>Returns the schedules, the next to run first; nothing if there is none.</summary>
    public string NextRuns()
    {
        if (schedules.Count == 0)
        {
            return string.Empty;
        }

        var table = new HtmlTable(
            ("Next run (UTC)", "w"), ("Schedule", string.Empty), ("Does", "w"), ("When", string.Empty), ("Last run (UTC)", "w"),
            ("Result", string.Empty));
        return Section("runs", "Next runs", table.ToHtml(schedules.OrderBy(schedule => schedule.NextRun).Select(schedule => new[]
        {
            schedule.NextRun is { } next ? Moment(next) : schedule.IsRunning == true ? "runs now" : "always",
            HtmlText.Isolated(schedule.Name), HtmlText.Of($"{schedule.Action}"),
            HtmlText.Of($"{schedule.Trigger}"),
            schedule.LastRun is { } last ? Moment(last) : "not yet",
            schedule.Status != ScheduleStatus.Registered ? HtmlText.Isolated(schedule.StatusReason ?? $"{schedule.Status}")
                : $"{HtmlText.Of($"{schedule.LastResult}")}{(schedule.LastError is { } error ? $"<div class=\"soft\">{HtmlText.Isolated(error)}</div>" : string.Empty)}",
        })));
    }

    /// <summary>Returns the newest backups.</summary>
    public string Backups()
    {
        var newest = reports.SelectMany(report => report.Backups).OrderByDescending(backup => backup.Timestamp).Take(Most).ToList();
        if (newest.Count == 0)
        {
            return string.Empty;
        }

        var table = new HtmlTable(
            ("When (UTC)", "w"), ("Database", string.Empty), ("Kind", "w"), ("Size", "n"), ("Verified", string.Empty), ("Copies", "n"), ("Took", "n"));
        return Section("backups", "Newest backups", table.ToHtml(newest.Select(backup => new[]
        {
            Moment(backup.Timestamp), FileName(backup.DatabasePath), HtmlText.Of($"{backup.Type}"), HealthText.Of(backup.Size),
            backup.Verified ? HtmlText.Of($"{backup.VerificationLevel}") : "no", backup.Copies.Count.ToString(CultureInfo.InvariantCulture),
            backup.Duration is { } took ? HealthText.Length(took) : string.Empty,
        })));
    }

    /// <summary>Returns the places where backups are.</summary>
    public string Places()
    {
        var all = reports.SelectMany(report => report.Backups).ToList();
        var here = all.GroupBy(backup => backup.BackupDirectory, StringComparer.Ordinal).Select(group => Place("This machine", group.Key, [.. group]));
        var there = all.SelectMany(backup => backup.Copies.Select(copy => (Backup: backup, Place: copy.ToLocation())))
            .GroupBy(copied => (copied.Place.Provider, Address: copied.Place.ToString()))
            .Select(group => Place(Kind(group.Key.Provider), group.Key.Address, [.. group.Select(copied => copied.Backup)]));
        var rows = here.Concat(there).ToList();
        if (rows.Count == 0)
        {
            return string.Empty;
        }

        var table = new HtmlTable(
            ("Place", string.Empty), ("Address", string.Empty), ("Databases", "n"), ("Backups", "n"), ("Size", "n"), ("Newest (UTC)", "w"));
        return Section("places", "Copies by place", table.ToHtml(rows));
    }

    private static string[] Place(string kind, string address, IReadOnlyList<BackupMetadata> backups) =>
    [
        HtmlText.Of(kind), HtmlText.Isolated(address),
        backups.Select(backup => backup.DatabasePath).Distinct().Count().ToString(CultureInfo.InvariantCulture),
        backups.Count.ToString(CultureInfo.InvariantCulture), HealthText.Of(backups.Sum(backup => backup.Size)),
        Moment(backups.Max(backup => backup.Timestamp)),
    ];

    private static string Kind(CloudProvider provider) => provider switch
    {
        CloudProvider.Directory => "A folder",
        CloudProvider.Azure => "Azure",
        CloudProvider.Gcs => "Google Cloud",
        _ => "S3",
    };

    private static string Shown(int count) => count <= Most
        ? count.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"the newest {Most} of {count}");

    private static string Section(string id, string title, string content) =>
        $"<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>{content}</section>\n";

    private static string FileName(string? path) => path is null ? "–" : HtmlText.Isolated(path.Split('/', '\\')[^1]);

    private static string Moment(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
