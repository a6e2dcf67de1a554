using System.Globalization;

namespace SignalHarvester.Backup.Retention;

/// <summary>
/// Keeps the newest backup of each of the last N periods with a backup. Periods are those of the calendar in UTC; periods
/// without a backup do not count.
/// </summary>
/// <param name="Name">The rule's name in reasons.</param>
/// <param name="Unit">The name of one period.</param>
/// <param name="Count">The number of periods; 0 keeps nothing.</param>
/// <param name="PeriodOf">The period of a moment in UTC, as text.</param>
internal sealed record CalendarRule(string Name, string Unit, int Count, Func<DateTime, string> PeriodOf)
{
    public static CalendarRule Daily(int count) => new("daily", "day", count, moment => moment.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    public static CalendarRule Weekly(int count) => new(
        "weekly", "week", count, moment => string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(moment):0000}-W{ISOWeek.GetWeekOfYear(moment):00}"));

    public static CalendarRule Monthly(int count) => new("monthly", "month", count, moment => moment.ToString("yyyy-MM", CultureInfo.InvariantCulture));

    public static CalendarRule Yearly(int count) => new("yearly", "year", count, moment => moment.ToString("yyyy", CultureInfo.InvariantCulture));

    /// <summary>Keeps the newest of each of the newest periods.</summary>
    /// <param name="newestFirst">All backups with which a period counts.</param>
    /// <param name="which">The backups of which the newest is kept.</param>
    /// <param name="kind">The kind of these backups, for reasons; empty for all that can be restored.</param>
    public void Keep(IEnumerable<Verdict> newestFirst, Func<BackupMetadata, bool> which, string kind)
    {
        var number = 0;
        foreach (var period in Periods(newestFirst).Take(Count))
        {
            number++;
            period.FirstOrDefault(verdict => which(verdict.Backup))?
                .Keep(Name, string.Create(CultureInfo.InvariantCulture, $"{Name} {period.Key}, {number} of {Count}{kind}"));
        }
    }

    /// <summary>Gives the backups that were made for this rule, and that nothing keeps, the reason why they go.</summary>
    public void Refuse(IEnumerable<Verdict> newestFirst)
    {
        var number = 0;
        foreach (var period in Periods(newestFirst))
        {
            number++;
            var why = number <= Count ? $"{period.First().Backup.Id} is newer" : WhatIsKept;
            var reason = $"{Name} {period.Key}: {why}";
            foreach (var verdict in period)
            {
                verdict.Refuse(Name, reason);
            }
        }
    }

    private IEnumerable<IGrouping<string, Verdict>> Periods(IEnumerable<Verdict> newestFirst) =>
        newestFirst.GroupBy(verdict => PeriodOf(verdict.Backup.Timestamp.UtcDateTime), StringComparer.Ordinal);

    private string WhatIsKept => Count switch
    {
        0 => "none is kept",
        1 => $"a newer {Unit} is kept",
        _ => string.Create(CultureInfo.InvariantCulture, $"{Count} newer {Unit}s are kept"),
    };
}
