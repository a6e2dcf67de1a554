using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Retention;

/// <summary>Decides which backups stay and which go, from its arguments alone. See docs/RETENTION.md.</summary>
public static class RetentionPlan
{
    /// <summary>Decides on all backups of a directory, each database by itself.</summary>
    /// <param name="backups">All backups of the directory, in any order; others do not count.</param>
    /// <param name="rules">What to keep.</param>
    /// <param name="now">The time that ages are measured from.</param>
    /// <param name="canFold">Whether a backup can be folded into those that build on it; if not, it stays as long as they do.</param>
    /// <returns>One decision for each backup, newest first.</returns>
    /// <exception cref="BackupException">InvalidArgument, RetentionKeepsNothing.</exception>
    public static IReadOnlyList<RetentionDecision> Decide(
        IReadOnlyCollection<BackupMetadata> backups, RetentionRules rules, DateTimeOffset now, bool canFold = true)
    {
        ArgumentNullException.ThrowIfNull(backups);
        ArgumentNullException.ThrowIfNull(rules);
        rules.Validate();
        var known = BackupChain.WithDepths(backups);
        var chains = new ChainHealth(known.ToDictionary(backup => backup.Id, StringComparer.Ordinal), now);
        var verdicts = known
            .NewestFirst()
            .Select(backup => new Verdict(backup))
            .ToList();
        foreach (var database in verdicts.GroupBy(verdict => verdict.Backup.DatabasePath, StringComparer.Ordinal))
        {
            Judge(database, rules, now, chains);
        }

        KeepChainsWhole(verdicts, chains, canFold);
        return [.. verdicts.Select(verdict => verdict.Decision)];
    }

    private static void Judge(IEnumerable<Verdict> database, RetentionRules rules, DateTimeOffset now, ChainHealth chains)
    {
        var counted = new List<Verdict>();
        foreach (var verdict in database)
        {
            if (WhyNotCounted(verdict.Backup, now) is { } reason)
            {
                verdict.Keep("apart", reason);
            }
            else
            {
                counted.Add(verdict);
            }
        }

        counted.FindAll(verdict => verdict.Backup.RetentionPolicy is null).ForEach(manual => JudgeManual(manual, rules, now));
        var complete = counted.FindAll(verdict => !ChainHealth.IsIncomplete(verdict.Backup));
        var proven = complete.FindAll(verdict => chains.IsProven(verdict.Backup));
        KeepByCount(complete, rules, string.Empty);

        // Once more among the verified ones alone, so that an unverified backup never displaces a verified one.
        KeepByCount(proven, rules, " verified");
        KeepByCount([.. counted.Except(complete)], rules, " incomplete");
        KeepYoung(counted, rules, now);
        KeepStreams(complete, now);
        if (proven.Count > 0)
        {
            proven[0].Keep("newest", "newest verified backup of the database");
        }
        else if ((complete.Count > 0 ? complete : counted).FirstOrDefault() is { } newest)
        {
            newest.Keep("newest", "newest backup of the database; none is verified");
        }
    }

    private static string? WhyNotCounted(BackupMetadata backup, DateTimeOffset now) =>
        backup.IsSafety ? "safety backup: restores keep the last three"
        : string.IsNullOrEmpty(backup.DatabasePath) ? "its sidecar names no database"
        : backup.Timestamp > now ? "dated in the future: a clock is or was wrong"
        : null;

    private static void JudgeManual(Verdict manual, RetentionRules rules, DateTimeOffset now)
    {
        var limit = rules.RetentionDays.ToString(CultureInfo.InvariantCulture);
        if (!rules.IncludeManual)
        {
            manual.Keep("manual", "manual");
        }
        else if ((now - manual.Backup.Timestamp).TotalDays > rules.RetentionDays)
        {
            manual.Refuse("manual", $"manual, older than {limit} days");
        }
        else
        {
            manual.Keep("manual", $"manual, not older than {limit} days");
        }
    }

    private static void KeepByCount(List<Verdict> newestFirst, RetentionRules rules, string kind)
    {
        KeepByPolicy(RetentionPolicy.Daily, CalendarRule.Daily(rules.KeepDaily));
        KeepByPolicy(RetentionPolicy.Weekly, CalendarRule.Weekly(rules.KeepWeekly));
        KeepByPolicy(RetentionPolicy.Monthly, CalendarRule.Monthly(rules.KeepMonthly));

        CalendarRule.Yearly(rules.KeepYearly).Keep(newestFirst, _ => true, kind);
        for (var i = 0; i < Math.Min(rules.KeepLast, newestFirst.Count); i++)
        {
            newestFirst[i].Keep("last", string.Create(CultureInfo.InvariantCulture, $"last, {i + 1} of {rules.KeepLast}{kind}"));
        }

        void KeepByPolicy(RetentionPolicy policy, CalendarRule rule)
        {
            var made = newestFirst.FindAll(verdict => verdict.Backup.RetentionPolicy == policy);
            rule.Keep(made, _ => true, kind);
            rule.Refuse(made);
            if (rules.IncludeManual)
            {
                rule.Keep(newestFirst, backup => backup.RetentionPolicy is null, kind);
            }
        }
    }

    private static void KeepYoung(List<Verdict> counted, RetentionRules rules, DateTimeOffset now)
    {
        if (rules.KeepWithin is { TotalDays: > 0 } within)
        {
            var reason = $"not older than {within}";
            counted.FindAll(verdict => now - verdict.Backup.Timestamp <= within.Value).ForEach(verdict => verdict.Keep("within", reason));
        }
    }

    /// <summary>
    /// Keeps what single transactions are restored from: each backup of a stream in the time in which they can be, and the last one before it.
    /// </summary>
    private static void KeepStreams(List<Verdict> newestFirst, DateTimeOffset now)
    {
        foreach (var stream in newestFirst
            .Select(verdict => (Verdict: verdict, Position: StreamPosition.Of(verdict.Backup)!))
            .Where(entry => entry.Position is not null)
            .GroupBy(entry => entry.Position.Key, StringComparer.Ordinal))
        {
            var edge = now - stream.First().Position.Window;
            foreach (var (verdict, position) in stream)
            {
                verdict.Keep("stream", "transactions of its stream are restored from it");
                if (position.Time <= edge)
                {
                    break;
                }
            }
        }
    }

    private static void KeepChainsWhole(List<Verdict> verdicts, ChainHealth chains, bool canFold)
    {
        var byId = verdicts.ToDictionary(verdict => verdict.Backup.Id, StringComparer.Ordinal);
        var (sound, unsound) = (new List<Verdict>(), new List<Verdict>());
        verdicts.FindAll(verdict => verdict.IsKept).ForEach(kept => (canFold && chains.CanBeFolded(kept.Backup) ? sound : unsound).Add(kept));
        var whyWhole = canFold ? "a chain with a missing or failed link stays complete" : "nothing is folded in an object store";
        foreach (var kept in unsound)
        {
            for (var link = Parent(kept); link is { IsChainSettled: false }; link = Parent(link))
            {
                link.NeedFor(kept.Backup, whyWhole);
            }
        }

        // Oldest first, because the oldest dependant takes a backup's place.
        foreach (var kept in Enumerable.Reverse(sound))
        {
            for (var link = Parent(kept); link is { IsKept: false, IsChainSettled: false }; link = Parent(link))
            {
                link.FoldInto(kept.Backup);
            }
        }

        Verdict? Parent(Verdict verdict) => chains.Parent(verdict.Backup) is { } parent ? byId[parent.Id] : null;
    }
}
