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
    /// <summary>Writes the page as text.</summary>
    /// <param name="reports">The reports, one for each backup directory.</param>
    /// <param name="now">The time of the reports.</param>
    public static string Of(IReadOnlyList<HealthReport> reports, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var databases = reports.SelectMany(report => report.Databases.Select(health => (Report: report, Health: health))).ToList();
        var worst = databases.Select(one => one.Health.Status).DefaultIfEmpty(HealthStatus.Ok).Max();
        var style = Style();
        var page = new StringBuilder($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>{worst}: backup health</title>
            <style>{style}</style>
            </head>
            <body>
            <main>
            <header class="head"><div><h1>Backup health</h1><p class="soft">{HtmlText.Of(Environment.MachineName)}, {HealthText.Of(now)}</p></div>{Badge(worst)}</header>

            """);
        if (databases.Count > 1)
        {
            page.Append(Overview(databases.Select(one => one.Health)));
        }

        foreach (var (number, (report, health)) in databases.Index())
        {
            page.Append(Section(report, health, string.Create(CultureInfo.InvariantCulture, $"d{number + 1}")));
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

    private static string Overview(IEnumerable<BackupHealth> all) => $"""
        <section aria-labelledby="all"><h2 id="all">All databases</h2><table><thead><tr><th scope="col">Status</th><th scope="col">Database</th><th scope="col">Newest verified backup</th><th scope="col" class="n">Backups</th><th scope="col" class="n">Size</th></tr></thead><tbody>
        {string.Concat(all.Select((health, number) => string.Create(CultureInfo.InvariantCulture, $"<tr><td class=\"s\">{Badge(health.Status)}</td><td><a href=\"#d{number + 1}\">{HtmlText.Isolated(Name(health))}</a><div class=\"soft\">{HtmlText.Isolated(health.DatabasePath ?? health.BackupDirectory)}</div></td><td class=\"w\">{Newest(health)}</td><td class=\"n\">{health.Backups}</td><td class=\"n\">{HealthText.Of(health.Size)}</td></tr>\n")))}</tbody></table></section>

        """;

    private static string Section(HealthReport report, BackupHealth health, string id)
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
                backup => (backup.Timestamp, backup.Duration!.Value.TotalSeconds, !BackupChain.IsIncrement(backup)))],
            seconds => HealthText.Of(TimeSpan.FromSeconds(seconds)));
        return $"""
            <section aria-labelledby="{id}"><div class="head"><h2 id="{id}">{HtmlText.Isolated(Name(health))}</h2>{Badge(health.Status)}</div>
            <p class="soft">{HtmlText.Isolated(health.DatabasePath ?? "no database")} in {HtmlText.Isolated(health.BackupDirectory)}: {HealthText.Count(health.Backups, "backup")}, {HealthText.Of(health.Size)}; newest verified: {Newest(health)}</p>
            <table class="checks"><thead><tr><th scope="col">Status</th><th scope="col">Check</th><th scope="col">Reason, and fix</th></tr></thead><tbody>
            {string.Concat(health.Checks.OrderByDescending(check => check.Status).Select(Row))}</tbody></table>
            <div class="charts">{sizes.ToHtml(id + "-size")}{durations.ToHtml(id + "-time")}{calendar.ToHtml(id + "-days")}</div></section>

            """;
    }

    private static string Row(HealthCheck check) =>
        $"<tr><td class=\"s\">{Badge(check.Status)}</td><td class=\"c\">{HtmlText.Of(Words(check.Check))}</td><td>{HtmlText.Isolated(check.Reason)}{(check.Command is { } command ? $"<code dir=\"ltr\">{HtmlText.Of(command)}</code>" : string.Empty)}</td></tr>\n";

    private static string Badge(HealthStatus status)
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

    private static string Words(string name) =>
        string.Concat(name.Select((letter, index) => index > 0 && char.IsUpper(letter) ? " " + char.ToLowerInvariant(letter) : letter.ToString()));

    private static string Name(BackupHealth health) => (health.DatabasePath ?? health.BackupDirectory).Split('/', '\\')[^1];

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
