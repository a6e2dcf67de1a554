using System.Globalization;

namespace SignalHarvester.Backup.Retention;

/// <summary>What is kept of each database. A backup stays when one rule keeps it; zero switches a rule off. See docs/RETENTION.md.</summary>
public sealed record RetentionRules
{
    /// <summary>Of the daily backups, the newest of each of the last N days; 0 or more.</summary>
    public int KeepDaily { get; init; } = 7;

    /// <summary>Of the weekly backups, the newest of each of the last N ISO weeks; 0 or more.</summary>
    public int KeepWeekly { get; init; } = 4;

    /// <summary>Of the monthly backups, the newest of each of the last N months; 0 or more.</summary>
    public int KeepMonthly { get; init; } = 12;

    /// <summary>The newest of each of the last N years, whatever its policy; 0 or more.</summary>
    public int KeepYearly { get; init; }

    /// <summary>The newest N, whatever their policy; 0 or more.</summary>
    public int KeepLast { get; init; }

    /// <summary>All up to this age, whatever their policy; null for no such rule.</summary>
    public BackupAge? KeepWithin { get; init; }

    /// <summary>The age in days after which a manual backup goes, if manual backups are included; 0 or more.</summary>
    public int RetentionDays { get; init; } = 90;

    /// <summary>Whether manual backups, which have no policy, may go at all.</summary>
    public bool IncludeManual { get; init; }

    /// <summary>Whether a rule that keeps anything is on.</summary>
    internal bool KeepsAny => KeepDaily + (long)KeepWeekly + KeepMonthly + KeepYearly + KeepLast > 0 || KeepWithin is { TotalDays: > 0 };

    /// <summary>Refuses rules that are not valid or would keep nothing.</summary>
    /// <exception cref="BackupException">InvalidArgument: a value below zero. RetentionKeepsNothing: no rule that keeps anything is on.</exception>
    public void Validate()
    {
        RefuseNegative(nameof(KeepDaily), KeepDaily);
        RefuseNegative(nameof(KeepWeekly), KeepWeekly);
        RefuseNegative(nameof(KeepMonthly), KeepMonthly);
        RefuseNegative(nameof(KeepYearly), KeepYearly);
        RefuseNegative(nameof(KeepLast), KeepLast);
        RefuseNegative(nameof(KeepWithin), KeepWithin?.TotalDays ?? 0);
        RefuseNegative(nameof(RetentionDays), RetentionDays);
        if (!KeepsAny)
        {
            throw new BackupException(
                BackupErrorId.RetentionKeepsNothing, nameof(RetentionRules),
                "Every keep rule is off, so nothing would be kept. Nothing was removed. Give at least one of -KeepDaily, -KeepWeekly, -KeepMonthly, -KeepYearly, -KeepLast and -KeepWithin a value above zero; to remove all backups, use Remove-SHBackup.");
        }
    }

    private static void RefuseNegative(string name, double value)
    {
        if (value < 0)
        {
            throw BackupException.InvalidArgument(
                name, string.Create(CultureInfo.InvariantCulture, $"{value} is not valid for -{name}. Give zero, which switches the rule off, or more."));
        }
    }
}
