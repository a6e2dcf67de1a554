using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>The last weeks with one square for each day: whether backups were made, and whether one failed.</summary>
/// <param name="Made">The number of backups made on a day.</param>
/// <param name="Failed">The number of failures on a day.</param>
/// <param name="Now">The last day.</param>
internal sealed record SuccessCalendar(IReadOnlyDictionary<DateOnly, int> Made, IReadOnlyDictionary<DateOnly, int> Failed, DateTimeOffset Now)
{
    private const int Weeks = 20;
    private const int Cell = 22;
    private const int Square = 18;
    private const int Left = 40;
    private const int Top = 22;
    private const string Title = "Backups by day";

    /// <summary>Returns the calendar, with its days also as a table for people who cannot see it.</summary>
    /// <param name="id">A name that is unique in the page.</param>
    public string ToHtml(string id)
    {
        var today = DateOnly.FromDateTime(Now.UtcDateTime);
        var monday = today.AddDays(-(((int)today.DayOfWeek + 6) % 7) - (7 * (Weeks - 1)));
        var svg = new StringBuilder();
        foreach (var (row, name) in new[] { (0, "Mon"), (2, "Wed"), (4, "Fri") })
        {
            svg.Append(
                CultureInfo.InvariantCulture, $"<text class=\"label\" x=\"{Left - 8}\" y=\"{Top + (row * Cell) + 14}\" text-anchor=\"end\">{name}</text>");
        }

        var rows = new StringBuilder();
        var labelled = -1;
        for (var day = monday; day <= today; day = day.AddDays(1))
        {
            var (week, row) = (Math.DivRem(day.DayNumber - monday.DayNumber, 7));
            var x = Left + (week * Cell);
            if (row == 0 && day.Month != labelled && (labelled >= 0 || day.Day <= 22))
            {
                labelled = day.Month;
                svg.Append(CultureInfo.InvariantCulture, $"<text class=\"label\" x=\"{x}\" y=\"14\">{day:MMM}</text>");
            }

            var (made, failed) = (Made.GetValueOrDefault(day), Failed.GetValueOrDefault(day));
            var kind = (made, failed) switch
            {
                (0, 0) => "none",
                (0, _) => "bad",
                (_, 0) => "good",
                _ => "both",
            };
            var told = string.Create(CultureInfo.InvariantCulture, $"{day:yyyy-MM-dd}: {made} made, {failed} failed");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect class=\"{kind}\" x=\"{x}\" y=\"{Top + (row * Cell)}\" width=\"{Square}\" height=\"{Square}\" rx=\"3\"><title>{told}</title></rect>");
            if (failed > 0)
            {
                // Not only by colour.
                svg.Append(CultureInfo.InvariantCulture, $"<path class=\"mark\" d=\"M{x + 5} {Top + (row * Cell) + 5}l8 8m0 -8l-8 8\"/>");
            }

            if (made + failed > 0)
            {
                rows.Insert(
                    0,
                    string.Create(CultureInfo.InvariantCulture, $"<tr><td>{day:yyyy-MM-dd}</td><td class=\"n\">{made}</td><td class=\"n\">{failed}</td></tr>"));
            }
        }

        var good = Made.Keys.Count(day => day >= monday && !Failed.ContainsKey(day));
        var bad = Failed.Keys.Count(day => day >= monday);
        return $"""
            <figure><h3>{Title}</h3><svg viewBox="0 0 {Left + (Weeks * Cell)} {Top + (7 * Cell)}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{Title}</title><desc id="{id}-d">Of the last {Weeks} weeks: {HealthText.Count(good, "day")} with backups and without a failure, {HealthText.Count(bad, "day")} with a failure.</desc>{svg}</svg>
            <div class="key"><span>{Sample("good")}made</span><span>{Sample("bad")}failed</span><span>{Sample("both")}made and failed</span><span>{Sample("none")}none</span></div>
            <details class="data"><summary>As a table</summary><table><thead><tr><th scope="col">Day (UTC)</th><th scope="col" class="n">Made</th><th scope="col" class="n">Failed</th></tr></thead><tbody>{(rows.Length > 0 ? rows : "<tr><td colspan=\"3\">none</td></tr>")}</tbody></table></details></figure>
            """;
    }

    private static string Sample(string kind) => $"<svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{kind}\" width=\"10\" height=\"10\"/></svg>";
}
