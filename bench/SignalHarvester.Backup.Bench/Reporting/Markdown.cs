using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Bench.Reporting;

/// <summary>The report as tables that read well in a terminal too.</summary>
internal static class Markdown
{
    public static string Of(Report report)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Measured {report.Time:yyyy-MM-dd} on: {report.Machine}. Database: {report.DatabaseSize / 1048576.0:F0} MiB. Medians of {report.Runs} runs; 1 MB is 1,000,000 bytes.");
        foreach (var step in report.Steps)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"### {step.Title}").AppendLine();
            AppendTable(text, TableOf(step));
            AppendAbsent(text, step);
        }

        if (report.Lines.Count > 0)
        {
            text.AppendLine().AppendLine("### Lines to beat").AppendLine();
            AppendTable(text,
            [
                ["line", "measured", "at most", "met"],
                .. report.Lines.Select(l => new[] { l.What, $"{Number(l.Measured)} {l.Unit}", $"{Number(l.Limit)} {l.Unit}", l.Met ? "yes" : "NO" }),
            ]);
        }

        return text.ToString();
    }

    private static List<string[]> TableOf(StepResult step)
    {
        (string Head, Func<ContestantResult, string> Cell)[] columns =
        [
            ("", c => c.IsBaseline ? $"{c.Name} (baseline)" : c.Name),
            ("wall s", c => Number(c.Wall?.Median)),
            ("min - max", c => c.Wall is null ? "" : $"{Number(c.Wall.Min)} - {Number(c.Wall.Max)}"),
            ("x", c => Ratio(step.WallRatio(c))),
            ("inside s", c => Number(c.Inside?.Median)),
            ("inside x", c => Ratio(step.InsideRatio(c))),
            ("CPU s", c => Number(c.Cpu?.Median)),
            ("peak MB", c => Number(c.PeakMemory?.Median / 1e6)),
            ("size MB", c => Number(c.OutputSize?.Median / 1e6)),
            ("size x", c => Ratio(step.SizeRatio(c))),
            .. step.ReportedNames.Select(name => (name, (Func<ContestantResult, string>)(c => Number(c.Reported(name)?.Median)))),
        ];

        ContestantResult[] measured = [.. step.Contestants.Where(c => c.Wall is not null)];
        columns = [.. columns.Where(column => measured.Any(c => column.Cell(c).Length > 0))];
        return
        [
            [.. columns.Select(column => column.Head)],
            .. measured.Select(c => columns.Select(column => column.Cell(c)).ToArray()),
        ];
    }

    private static void AppendAbsent(StringBuilder text, StepResult step)
    {
        ContestantResult[] absent = [.. step.Contestants.Where(c => c.Wall is null)];
        if (absent.Length is > 0 && absent.Length < step.Contestants.Count)
        {
            text.AppendLine();
        }

        foreach (var contestant in absent)
        {
            var reason = contestant.Failed is null ? $"skipped, {contestant.Skipped}" : $"FAILED, {contestant.Failed}";
            text.AppendLine(CultureInfo.InvariantCulture, $"- {contestant.Name}: {reason}");
        }
    }

    private static void AppendTable(StringBuilder text, List<string[]> rows)
    {
        if (rows.Count < 2)
        {
            return;
        }

        int[] widths = [.. rows[0].Select((_, column) => Math.Max(3, rows.Max(row => row[column].Length)))];
        AppendRow(text, rows[0], widths);
        text.Append('|').Append(new string('-', widths[0] + 2));
        foreach (var width in widths.Skip(1))
        {
            text.Append('|').Append(new string('-', width + 1)).Append(':');
        }

        text.AppendLine("|");
        foreach (var row in rows.Skip(1))
        {
            AppendRow(text, row, widths);
        }
    }

    private static void AppendRow(StringBuilder text, string[] cells, int[] widths)
    {
        for (var column = 0; column < cells.Length; column++)
        {
            var cell = column == 0 ? cells[column].PadRight(widths[column]) : cells[column].PadLeft(widths[column]);
            text.Append("| ").Append(cell).Append(' ');
        }

        text.AppendLine("|");
    }

    private static string Ratio(double? value) => value?.ToString("F2", CultureInfo.InvariantCulture) ?? "";

    private static string Number(double? value) => value switch
    {
        null => "",
        double v when v == Math.Truncate(v) && Math.Abs(v) < 1e9 => v.ToString("F0", CultureInfo.InvariantCulture),
        double v when Math.Abs(v) >= 100 => v.ToString("F0", CultureInfo.InvariantCulture),
        double v when Math.Abs(v) >= 10 => v.ToString("F1", CultureInfo.InvariantCulture),
        double v when Math.Abs(v) >= 0.0995 => v.ToString("F2", CultureInfo.InvariantCulture),
        double v => v.ToString("F3", CultureInfo.InvariantCulture),
    };
}
