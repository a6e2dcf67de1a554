using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Holds the database against its transactions: once in a while an ordinary backup is made by reading every page, and whatever differs from the
/// backup before must have been written by a transaction in between. Nothing is believed of the reading of the log in that.
/// </summary>
/// <param name="databasePath">The database.</param>
/// <param name="location">Where its stream goes.</param>
/// <param name="directory">The backup directory.</param>
/// <param name="interval">The time between two audits.</param>
/// <param name="history">Records findings.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class StreamAudit(
    string databasePath, StoreLocation location, BackupDirectory directory, TimeSpan interval, ProtectionHistory history, OperationContext context)
{
    /// <summary>How long a finding is shown, so that nobody misses it because the service was started again meanwhile.</summary>
    private static readonly TimeSpan Shown = TimeSpan.FromDays(3);

    private long findings;

    /// <summary>When the database was last held against its transactions; null before the first time.</summary>
    public DateTimeOffset? Last { get; private set; }

    /// <summary>How often pages differed that no transaction had written; 0 again three days after the last time.</summary>
    public long Findings => LastFinding is { } last && (context.Clock.GetUtcNow() - last).Duration() < Shown ? findings : 0;

    /// <summary>When that was last so; null if it never was.</summary>
    public DateTimeOffset? LastFinding { get; private set; }

    /// <summary>Whether the next ordinary backup is to read every page: the first one is, and a clock that was set back makes it so, too.</summary>
    public bool IsDue => Last is not { } last || (context.Clock.GetUtcNow() - last).Duration() >= interval;

    /// <summary>Goes on where an earlier process ended.</summary>
    /// <param name="shown">What that one has shown last; null if nothing is known of it.</param>
    public void Continue(BackupProtection? shown)
    {
        Last = shown?.LastAudit;
        LastFinding = shown?.LastFinding;
        findings = shown?.AuditFindings ?? 0;
    }

    /// <summary>Judges what a comparison of the whole database with its transactions has found.</summary>
    /// <param name="backup">The backup that was made meanwhile, and holds the database as it is.</param>
    /// <param name="found">What was found; null if nothing was compared.</param>
    /// <param name="transaction">The last transaction before the backup that is stored.</param>
    /// <returns>What is wrong, as a clause; null if nothing is.</returns>
    public string? Judge(BackupMetadata backup, AuditResult? found, long transaction)
    {
        if (found is null)
        {
            return null;
        }

        Last = context.Clock.GetUtcNow();
        var pages = found.Pages;
        if (pages.Count == 0)
        {
            context.Verbose($"'{databasePath}' is what its transactions made of it: every page was read for '{backup.Id}'.");
            return null;
        }

        findings = Findings + 1;
        LastFinding = Last;
        var why = string.Create(
            CultureInfo.InvariantCulture,
            $"{pages.Count} of its pages ({string.Join(", ", pages.Take(5))}{(pages.Count > 5 ? ", …" : string.Empty)}) differ from '{found.Since}', although no transaction since has written them: another program wrote to the file, or a disk or memory fails. Compare-SHBackup {found.Since} -Difference {backup.Id} -BackupDirectory {Quote(directory.Path)} shows the rows that differ (those of transactions, too), and Restore-SHBackup -Transaction {transaction} -From {Quote(location.ToString())} -Database {Quote(databasePath)} -Destination ./before.db brings back the database without that");
        history.HadFinding(backup.Id, why);
        return why;
    }

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
