using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>The problems of several databases, each kind once, with what fixes it for each database.</summary>
/// <param name="databases">The reports of the databases.</param>
internal sealed class HealthFindings(IReadOnlyList<BackupHealth> databases)
{
    private const int MostNames = 4;

    /// <summary>Returns the section; nothing if all is well.</summary>
    public string ToHtml()
    {
        var groups = databases
            .SelectMany(health => health.Checks.Where(check => check.Status != HealthStatus.Ok).Select(check => (Health: health, Check: check)))
            .GroupBy(found => (found.Check.Check, found.Check.Status))
            .OrderByDescending(group => group.Key.Status).ThenByDescending(group => group.Count())
            .ToList();
        if (groups.Count == 0)
        {
            return string.Empty;
        }

        var section = new StringBuilder("<section aria-labelledby=\"findings\"><h2 id=\"findings\">What needs attention</h2>\n");
        foreach (var group in groups)
        {
            section.Append(Group(group.Key.Check, group.Key.Status, [.. group]));
        }

        return section.Append("</section>\n").ToString();
    }

    private static string Group(string check, HealthStatus status, IReadOnlyList<(BackupHealth Health, HealthCheck Check)> found)
    {
        var same = found.Select(one => one.Check.Reason).Distinct(StringComparer.Ordinal).Count() == 1;
        var names = string.Join(", ", found.Take(MostNames).Select(one => HtmlText.Isolated(HealthPage.Name(one.Health))));
        var more = found.Count > MostNames ? string.Create(CultureInfo.InvariantCulture, $" and {found.Count - MostNames} more") : string.Empty;
        var commands = string.Join('\n', found.Select(one => one.Check.Command).OfType<string>().Distinct(StringComparer.Ordinal));
        var example = same ? string.Empty : "For example: ";
        var text = new StringBuilder($"""
            <div class="finding"><div class="head"><h3>{HtmlText.Of(HealthPage.Words(check))}: {HealthText.Count(found.Count, "database")}</h3>{HealthPage.Badge(status)}</div>
            <p>{example}{HtmlText.Isolated(found[0].Check.Reason)}</p><p class="soft">{names}{more}</p>
            """);
        if (found.Count == 1)
        {
            return text.Append(HealthPage.Command(commands)).Append("</div>\n").ToString();
        }

        var table = new HtmlTable(("Database", string.Empty), ("Reason", string.Empty));
        text.Append("<details><summary>Each database, and the commands that fix it</summary>");
        if (!same)
        {
            text.Append(table.ToHtml(found.Select(one => new[] { HtmlText.Isolated(HealthPage.Name(one.Health)), HtmlText.Isolated(one.Check.Reason) })));
        }

        return text.Append(HealthPage.Command(commands)).Append("</details></div>\n").ToString();
    }
}
