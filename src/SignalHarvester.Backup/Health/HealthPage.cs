using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Health;

/// <summary>
/// Reports as one page that can be mailed: no script, no request to anywhere, and a policy in it that lets a browser refuse
/// both. All outside text is escaped.
/// </summary>
public static class HealthPage
{
    private const string DefaultTitle = "Backup health";

    // With more, each database is closed until somebody opens it.
    private const int MostOpen = 3;

    /// <summary>Writes the page as text.</summary>
    /// <param name="reports">The reports, one for each backup directory.</param>
    /// <param name="schedules">All schedules of this machine.</param>
    /// <param name="title">The title; null for the usual one.</param>
    /// <param name="now">The time of the reports.</param>
    public static string Of(IReadOnlyList<HealthReport> reports, IReadOnlyList<BackupSchedule> schedules, string? title, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(schedules);
        var databases = reports.SelectMany(report => report.Databases.Select(health => (Report: report, Health: health)))
            .OrderByDescending(one => one.Health.Status).ToList();
        var worst = databases.Select(one => one.Health.Status).DefaultIfEmpty(HealthStatus.Ok).Max();
        var style = Style();
        var heading = HtmlText.Of(title ?? DefaultTitle);
        var page = new StringBuilder($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>{worst}: {(title is null ? "backup health" : heading)}</title>
            <style>{style}</style>
            </head>
            <body>
            <main>
            <header class="head"><div><h1><bdi>{heading}</bdi></h1><p class="soft">{HtmlText.Of(Environment.MachineName)}, {HealthText.Of(now)}</p></div>{Badge(worst)}</header>

            """);
        var lists = new HealthLists(reports, schedules, now);
        page.Append(new HealthHeadlines(reports, now).ToHtml());
        var single = databases.Count == 1;
        if (single)
        {
            page.Append(Section(databases[0].Report, databases[0].Health));
        }
        else
        {
            page.Append(new HealthFindings([.. databases.Select(one => one.Health)]).ToHtml()).Append(Overview(databases.Select(one => one.Health)));
        }

        page.Append(lists.Failures()).Append(lists.NextRuns()).Append(lists.Backups()).Append(lists.Places());
        foreach (var (number, (report, health)) in databases.Index().Where(_ => !single))
        {
            page.Append(Details(report, health, Id(number), isOpen: databases.Count <= MostOpen));
        }

        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    /// <summary>Writes the page to a file that only its owner can read, because it names paths. An existing file is replaced.</summary>
    /// <param name="path">The file, as a full path.</param>
    /// <param name="page">The page.</param>
    /// <exception cref="BackupException">DestinationIsDirectory, DestinationInvalid, DestinationNotWritable, InsufficientSpace, WriteFailed.</exception>
    public static void Write(string path, string page)
    {
        if (Directory.Exists(path))
        {
            throw new BackupException(
                BackupErrorId.DestinationIsDirectory, path,
                $"'{path}' is a directory. Give the file to write in it, such as '{Path.Combine(path, "health.html")}'.");
        }

        DiskFault.Guard(path, BackupErrorId.DestinationNotWritable, "Give another file with -Path, or change its permissions.", () =>
        {
            using var place = NamedPlace.Find(path, missing: MissingFolders.Make);
            DurableFile.WriteAllBytes(place.Folder, place.Name, Encoding.UTF8.GetBytes(page));
        });
    }

    /// <summary>The status with its sign.</summary>
    internal static string Badge(HealthStatus status)
    {
        // Each has its own sign, because not everybody can tell colours apart.
        var sign = status switch
        {
            HealthStatus.Ok => "✓",
            HealthStatus.Warning => "!",
            _ => "✕",
        };
        return $"<span class=\"badge {status.ToString().ToLowerInvariant()}\"><span aria-hidden=\"true\">{sign}</span> {status}</span>";
    }

    /// <summary>Returns a name of several words, such as RecoveryPoint, for people.</summary>
    internal static string Words(string name) =>
        string.Concat(name.Select((letter, index) => index > 0 && char.IsUpper(letter) ? " " + char.ToLowerInvariant(letter) : letter.ToString()));

    /// <summary>Returns the file name of a database.</summary>
    internal static string Name(BackupHealth health) => (health.DatabasePath ?? health.BackupDirectory).Split('/', '\\')[^1];

    /// <summary>Returns commands as people copy them; nothing if there are none.</summary>
    internal static string Command(string? commands) =>
        string.IsNullOrEmpty(commands) ? string.Empty : $"<code dir=\"ltr\">{string.Join('\n', commands.Split('\n').Select(HtmlText.Of))}</code>";

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"d{number + 1}");

    private static string Overview(IEnumerable<BackupHealth> all)
    {
        var table = new HtmlTable(("Status", "s"), ("Database", string.Empty), ("Newest verified backup", "w"), ("Backups", "n"), ("Size", "n"));
        return $"<section aria-labelledby=\"all\"><h2 id=\"all\">All databases</h2>{table.ToHtml(all.Select((health, number) => new[]
        {
            Badge(health.Status),
            $"<a href=\"#{Id(number)}\">{HtmlText.Isolated(Name(health))}</a><div class=\"soft\">{HtmlText.Isolated(health.DatabasePath ?? health.BackupDirectory)}</div>",
            Newest(health), health.Backups.ToString(CultureInfo.InvariantCulture), HealthText.Of(health.Size),
        }))}</section>\n";
    }

    private static string Section(HealthReport report, BackupHealth health) => $"""
        <section aria-labelledby="d1"><div class="head"><h2 id="d1">{HtmlText.Isolated(Name(health))}</h2>{Badge(health.Status)}</div>
        {Content(report, health, "d1", withCommands: true)}</section>

        """;

    // The link to it leads inside, where a browser opens what is closed.
    private static string Details(HealthReport report, BackupHealth health, string id, bool isOpen) => $"""
        <details class="database"{(isOpen ? " open=\"open\"" : string.Empty)}><summary><span class="title">{HtmlText.Isolated(Name(health))}</span> {Badge(health.Status)}</summary>
        <div id="{id}">{Content(report, health, id, withCommands: false)}</div></details>

        """;

    private static string Content(HealthReport report, BackupHealth health, string id, bool withCommands)
    {
        var backups = report.Backups.Where(backup => backup.DatabasePath == health.DatabasePath).ToList();
        var created = report.Events.Where(told => told.Operation == BackupOperation.Create && told.Database == health.DatabasePath).ToList();
        var made = created.Where(told => told.Status == BackupEventStatus.Success).Select(told => told.Timestamp)
            // The catalogue knows backups that the history has dropped.
            .Concat(backups.Where(backup => !created.Exists(told => told.BackupId == backup.Id)).Select(backup => backup.Timestamp));
        var calendar = new SuccessCalendar(
            Days(made), Days(created.Where(told => told.Status == BackupEventStatus.Failed).Select(told => told.Timestamp)), health.Timestamp);
        var sizes = new TimeChart("Size", [.. backups.Select(backup => (backup.Timestamp, (double)backup.Size, !BackupChain.IsIncrement(backup)))], size =>
            HealthText.Of((long)size));
        var durations = new TimeChart(
            "Duration", [.. backups.Where(backup => backup.Duration is not null).Select(
                backup => (backup.Timestamp, backup.Duration!.Value.TotalSeconds, !BackupChain.IsIncrement(backup)))], Seconds);
        var drills = report.Events.Where(
            told => told is { Operation: BackupOperation.Drill or BackupOperation.StreamDrill, Status: BackupEventStatus.Success }
                && told.Database == health.DatabasePath);
        var restores = new TimeChart("Time of a restore", [.. drills.Select(told => (told.Timestamp, told.Duration.TotalSeconds, true))], Seconds)
        {
            HasKinds = false,
        };
        return $"""
            <p class="soft">{HtmlText.Isolated(health.DatabasePath ?? "no database")} in {HtmlText.Isolated(health.BackupDirectory)}: {HealthText.Count(health.Backups, "backup")}, {HealthText.Of(health.Size)}; newest verified: {Newest(health)}</p>
            <table class="checks"><thead><tr><th scope="col">Status</th><th scope="col">Check</th><th scope="col">{(withCommands ? "Reason, and fix" : "Reason")}</th></tr></thead><tbody>
            {string.Concat(health.Checks.OrderByDescending(check => check.Status).Select(check => Row(check, withCommands)))}</tbody></table>
            <div class="charts">{sizes.ToHtml(id + "-size")}{durations.ToHtml(id + "-time")}{restores.ToHtml(id + "-restore")}{calendar.ToHtml(id + "-days")}</div>
            """;
    }

    private static string Seconds(double seconds) => HealthText.Length(TimeSpan.FromSeconds(seconds));

    private static string Row(HealthCheck check, bool withCommand) =>
        $"<tr><td class=\"s\">{Badge(check.Status)}</td><td class=\"c\">{HtmlText.Of(Words(check.Check))}</td><td>{HtmlText.Isolated(check.Reason)}{(withCommand ? Command(check.Command) : string.Empty)}</td></tr>\n";

    private static string Newest(BackupHealth health) =>
        health.NewestVerified is { } newest ? $"{HealthText.Of(newest)}, {HealthText.Of(health.Timestamp - newest)} ago" : "none";

    private static Dictionary<DateOnly, int> Days(IEnumerable<DateTimeOffset> moments) =>
        moments.GroupBy(moment => DateOnly.FromDateTime(moment.UtcDateTime)).ToDictionary(day => day.Key, day => day.Count());

    private static string Style()
    {
        using var resource = typeof(HealthPage).Assembly.GetManifestResourceStream("health.css")!;
        using var reader = new StreamReader(resource, Encoding.UTF8);

        // With the page's own line ends, because otherwise the policy's digest would not match the style.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
