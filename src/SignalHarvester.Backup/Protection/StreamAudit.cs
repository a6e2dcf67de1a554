using System.Globalization;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Holds the database against its transactions: once in a while an ordinary backup is made by reading every page, and whatever differs from the
/// backup before must have been written by a transaction in between. Nothing is believed of the reading of the log in that.
/// </summary>
/// <param name="databasePath">The database.</param>
/// <param name="interval">The time between two audits.</param>
/// <param name="follower">The follower of the database.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class StreamAudit(string databasePath, TimeSpan interval, Follower follower, OperationContext context)
{
    /// <summary>When the database was last held against its transactions; null before the first time.</summary>
    public DateTimeOffset? Last { get; private set; }

    /// <summary>How often, since the start, pages differed that no transaction had written.</summary>
    public long Findings { get; private set; }

    /// <summary>Whether the next ordinary backup is to read every page: the first one is, and a clock that was set back makes it so, too.</summary>
    public bool IsDue => Last is not { } last || (context.Clock.GetUtcNow() - last).Duration() >= interval;

    /// <summary>Goes on where an earlier process ended.</summary>
    /// <param name="last">When that one last did it; null if it never did.</param>
    public void Continue(DateTimeOffset? last) => Last = last;

    /// <summary>Judges what an ordinary backup found. If it is bad, the stream continues from a new backup.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="unexplained">The pages that differ although no transaction has written them; null if they were not looked for.</param>
    public void Judge(BackupMetadata backup, IReadOnlyList<long>? unexplained)
    {
        if (unexplained is null)
        {
            return;
        }

        Last = context.Clock.GetUtcNow();
        if (unexplained.Count == 0)
        {
            context.Verbose($"'{databasePath}' is what its transactions made of it: '{backup.Id}' was made by reading every page.");
            return;
        }

        Findings++;
        follower.Need(BaseReason.Gap, string.Create(
            CultureInfo.InvariantCulture,
            $"{unexplained.Count} of its pages ({string.Join(", ", unexplained.Take(5))}{(unexplained.Count > 5 ? ", …" : string.Empty)}) differ from '{backup.ParentId}', although no transaction since has written them: another program wrote to the file, or a disk or memory fails. Compare-SHBackup {backup.ParentId} -Difference {backup.Id} shows the rows, and Restore-SHBackup -Transaction brings back the database without that"));
    }
}
