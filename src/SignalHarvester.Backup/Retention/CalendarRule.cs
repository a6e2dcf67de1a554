using System.Globalization;

namespace SignalHarvester.Backup.Retention;

/// <summary>
/// Keeps the newest backup of each of the newest so many periods that have one. Periods are natural ones in UTC; those
/// without a backup do not count.
/// </summary>
/// <param name="Name">What the rule is called in reasons.</param>
/// <param name="Unit">What one period is called.</param>
/// <param name="Count">How many periods; 0 keeps nothing.</param>
/// <param name="PeriodOf">The period of a moment in UTC, as text.</param>
internal sealed record CalendarRule(string Name, string Unit, int Count, Func<DateTime, string> PeriodOf)
{
    public static CalendarRule Daily(int count) => new("daily", "day", count, moment => moment.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    public static CalendarRule Weekly(int count) => new("weekly", "week", count, moment => string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(moment):0000}-W{ISOWeek.GetWeekOfYear(moment):00}"));

    public static CalendarRule Monthly(int count) => new("monthly", "month", count, moment => moment.ToString("yyyy-MM", CultureInfo.InvariantCulture));

    public static CalendarRule Yearly(int count) => new("yearly", "year", count, moment => moment.ToString("yyyy", CultureInfo.InvariantCulture));

    /// <summary>Tells each backup what the rule means for it.</summary>
    /// <param name="newestFirst">The backups that the rule is about.</param>
    /// <param name="kind">What kind of backups they are, for reasons; empty for all that can be restored.</param>
    /// <param name="refuses">Whether they were made for this rule, so that they go unless it keeps them.</param>
    public void Apply(IEnumerable<Verdict> newestFirst, string kind, bool refuses)
    {
        var periods = 0;
        string? current = null;
        string? newest = null;
        foreach (var verdict in newestFirst)
        {
            var period = PeriodOf(verdict.Backup.Timestamp.UtcDateTime);
            if (period != current && periods < Count)
            {
                periods++;
                current = period;
                newest = verdict.Backup.Id;
                verdict.Keep(Name, string.Create(CultureInfo.InvariantCulture, $"{Name} {period}, {periods} of {Count}{kind}"));
            }
            else if (refuses)
            {
                verdict.Refuse(Name, $"{Name} {period}: {(period == current ? $"{newest} is newer" : WhatIsKept)}");
            }
        }
    }

    private string WhatIsKept => Count switch
    {
        0 => "none is kept",
        1 => $"a newer {Unit} is kept",
        _ => string.Create(CultureInfo.InvariantCulture, $"{Count} newer {Unit}s are kept"),
    };
}
