using System.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>A table that becomes a list where the page is narrow: each cell then begins with the name of its column.</summary>
/// <param name="Columns">The columns, with a class for their cells: n for numbers, s for a status, none.</param>
internal sealed record HtmlTable(params (string Name, string Class)[] Columns)
{
    /// <summary>Returns the table.</summary>
    /// <param name="rows">The cells, as HTML.</param>
    public string ToHtml(IEnumerable<string[]> rows)
    {
        var table = new StringBuilder("<table class=\"stack\"><thead><tr>");
        foreach (var (name, kind) in Columns)
        {
            table.Append("<th scope=\"col\"").Append(Class(kind)).Append('>').Append(HtmlText.Of(name)).Append("</th>");
        }

        table.Append("</tr></thead><tbody>\n");
        foreach (var row in rows)
        {
            table.Append("<tr>");
            foreach (var ((name, kind), cell) in Columns.Zip(row))
            {
                table.Append("<td data-label=\"").Append(HtmlText.Of(name)).Append('"').Append(Class(kind)).Append("><div>").Append(cell).Append("</div></td>");
            }

            table.Append("</tr>\n");
        }

        return table.Append("</tbody></table>\n").ToString();
    }

    private static string Class(string kind) => kind.Length == 0 ? string.Empty : $" class=\"{kind}\"";
}
