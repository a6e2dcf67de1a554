using System.Globalization;
using System.Management.Automation;

namespace SignalHarvester.Backup.Host;

/// <summary>The progress records in flight, as text of at most a few lines.</summary>
internal sealed class ProgressLines
{
    private const int MaxLines = 3;
    private const int BarCells = 20;

    private readonly List<(long Source, ProgressRecord Record)> active = [];

    /// <summary>Gets whether there is nothing to show.</summary>
    public bool IsEmpty => active.Count == 0;

    /// <summary>Takes a record in: a new activity, news of a known one, or its end.</summary>
    public void Update(long source, ProgressRecord record)
    {
        int index = active.FindIndex(known => known.Source == source && known.Record.ActivityId == record.ActivityId);
        if (record.RecordType == ProgressRecordType.Completed)
        {
            if (index >= 0)
            {
                active.RemoveAt(index);
            }
        }
        else if (index >= 0)
        {
            active[index] = (source, record);
        }
        else
        {
            active.Add((source, record));
        }
    }

    /// <summary>Forgets all activities.</summary>
    public void Clear() => active.Clear();

    /// <summary>Gets the lines to show, each shorter than <paramref name="columns"/>.</summary>
    public IReadOnlyList<string> Render(int columns) =>
        [.. active.Take(MaxLines).Select(entry => CellWidth.Cut(Line(entry.Record), columns - 1))];

    private static string Line(ProgressRecord record)
    {
        List<string> parts = [Printable(record.Activity)];
        if (record.PercentComplete >= 0)
        {
            int percent = Math.Min(record.PercentComplete, 100);
            string bar = new string('#', percent * BarCells / 100).PadRight(BarCells, '.');
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"[{bar}] {percent,3}%"));
        }

        parts.Add(Printable(record.StatusDescription));
        parts.Add(Printable(record.CurrentOperation ?? string.Empty));
        if (record.SecondsRemaining >= 0)
        {
            TimeSpan left = TimeSpan.FromSeconds(record.SecondsRemaining);
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours:00}:{left.Minutes:00}:{left.Seconds:00} left"));
        }

        string indent = record.ParentActivityId >= 0 ? "  " : string.Empty;
        return indent + string.Join("  ", parts.Where(part => part.Length > 0));
    }

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
