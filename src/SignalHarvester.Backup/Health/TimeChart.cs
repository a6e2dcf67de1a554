using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>
/// Values over time as bars, as SVG within a page. These few lines are our own, because .NET's chart libraries draw pictures
/// through native code or need scripts in the page.
/// </summary>
/// <param name="Title">The chart's title.</param>
/// <param name="Points">The values with their moments, in any order.</param>
/// <param name="Show">Writes a value with its unit.</param>
internal sealed record TimeChart(string Title, IReadOnlyList<(DateTimeOffset Moment, double Value, bool IsFull)> Points, Func<double, string> Show)
{
    /// <summary>Whether full backups and increments are told apart.</summary>
    public bool HasKinds { get; init; } = true;

    private const int MostPoints = 120;
    private const int Width = 640;
    private const int Height = 200;
    private const int Left = 76;
    private const int Right = 12;
    private const int Top = 14;
    private const int Bottom = 26;

    private const string Key =
        """<div class="key"><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="full" width="10" height="10"/></svg>full backup</span><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="increment" width="10" height="10"/></svg>increment</span></div>""";

    /// <summary>Returns the chart, with its values also as a table for people who cannot see it.</summary>
    /// <param name="id">A name that is unique in the page.</param>
    public string ToHtml(string id)
    {
        var points = Points.OrderBy(point => point.Moment).TakeLast(MostPoints).ToList();
        if (points.Count == 0)
        {
            return $"<figure><h3>{Title}</h3><p class=\"soft\">Nothing is recorded yet.</p></figure>";
        }

        var most = Math.Max(points.Max(point => point.Value), double.Epsilon);
        var (first, last) = (points[0].Moment, points[^1].Moment);
        var span = Math.Max((last - first).TotalSeconds, 1);
        var bar = Math.Clamp((Width - Left - Right) / (2.0 * points.Count), 2, 14);
        var svg = new StringBuilder();
        foreach (var share in (double[])[0, 0.5, 1])
        {
            var y = Height - Bottom - (share * (Height - Top - Bottom));
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\"/>");
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text class=\"label\" x=\"{Left - 8}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{HtmlText.Of(Show(share * most))}</text>");
        }

        foreach (var (moment, value, isFull) in points)
        {
            var x = Left + (points.Count == 1 ? 0.5 : (moment - first).TotalSeconds / span) * (Width - Left - Right - bar);
            var height = Math.Max(value / most * (Height - Top - Bottom), 1);
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect class=\"{(isFull ? "full" : "increment")}\" x=\"{x:0.#}\" y=\"{Height - Bottom - height:0.#}\" width=\"{bar:0.#}\" height=\"{height:0.#}\"/>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"label\" x=\"{Left}\" y=\"{Height - 6}\">{first.UtcDateTime:yyyy-MM-dd}</text>");
        if (last.UtcDateTime.Date != first.UtcDateTime.Date)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text class=\"label\" x=\"{Width - Right}\" y=\"{Height - 6}\" text-anchor=\"end\">{last.UtcDateTime:yyyy-MM-dd}</text>");
        }

        var told =
            $"{HealthText.Count(points.Count, "value")}, from {HtmlText.Of(Show(points.Min(point => point.Value)))} to {HtmlText.Of(Show(most))}; the last is {HtmlText.Of(Show(points[^1].Value))}.";
        return $"""
            <figure><h3>{Title}</h3><svg viewBox="0 0 {Width} {Height}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{Title}</title><desc id="{id}-d">{told}</desc>{svg}</svg>
            {(HasKinds ? Key : string.Empty)}
            <details class="data"><summary>As a table</summary><table><thead><tr><th scope="col">When (UTC)</th>{(HasKinds ? "<th scope=\"col\">Kind</th>" : string.Empty)}<th scope="col" class="n">{Title}</th></tr></thead><tbody>{Rows(points)}</tbody></table></details></figure>
            """;
    }

    private string Rows(IEnumerable<(DateTimeOffset Moment, double Value, bool IsFull)> points) => string.Concat(points.Reverse().Select(point =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"<tr><td>{point.Moment.UtcDateTime:yyyy-MM-dd HH:mm}</td>{(HasKinds ? $"<td>{(point.IsFull ? "full" : "increment")}</td>" : string.Empty)}<td class=\"n\">{HtmlText.Of(Show(point.Value))}</td></tr>")));
}
