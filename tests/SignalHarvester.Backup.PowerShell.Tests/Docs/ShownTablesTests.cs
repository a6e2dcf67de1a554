using System.Xml.Linq;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>The tables that the documents show have the columns of the module's views.</summary>
public class ShownTablesTests
{
    [Fact]
    public void Every_shown_table_has_the_columns_of_a_view()
    {
        var views = Views();
        string[] documents =
        [
            "README.md",
            .. Directory.GetFiles(Path.Combine(MarkdownDocument.Root, "docs"), "*.md").Select(path => "docs/" + Path.GetFileName(path)),
        ];
        var shown = documents.SelectMany(name => MarkdownDocument.Load(name).Blocks("text").SelectMany(Headers).Select(columns => (name, columns))).ToList();
        Assert.True(shown.Count >= 5);

        // The columns of a query are its own.
        Assert.All(
            shown.Where(table => !table.columns.Contains("BackupTimestamp")),
            table => Assert.Contains(views, view => table.columns.SequenceEqual(view)));
    }

    private static List<string[]> Views() =>
    [
        .. XDocument.Load(Path.Combine(MarkdownDocument.Root, "module", "SignalHarvester.Backup.Format.ps1xml")).Descendants("TableControl").Select(table =>
        {
            var items = table.Descendants("TableColumnItem").Select(item => item.Element("PropertyName")?.Value ?? string.Empty).ToList();
            return table.Descendants("TableColumnHeader").Select((header, at) => header.Element("Label")?.Value ?? items[at]).ToArray();
        }),
    ];

    /// <summary>The headers in a block: each is the line above one of dashes, which are as long as the labels.</summary>
    private static IEnumerable<string[]> Headers(string block)
    {
        var lines = block.Split('\n');
        for (var at = 1; at < lines.Length; at++)
        {
            if (lines[at].Length > 0 && lines[at].All(letter => letter is '-' or ' ') && lines[at].Contains("--", StringComparison.Ordinal))
            {
                yield return [.. Dashes(lines[at]).Select(dashes => lines[at - 1][dashes])];
            }
        }
    }

    private static IEnumerable<Range> Dashes(string line)
    {
        for (var start = line.IndexOf('-', StringComparison.Ordinal); start >= 0;)
        {
            var end = line.IndexOf(' ', start);
            end = end < 0 ? line.Length : end;
            yield return start..end;
            start = line.IndexOf('-', end);
        }
    }
}
