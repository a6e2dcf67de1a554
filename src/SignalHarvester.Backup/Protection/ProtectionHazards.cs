using System.Globalization;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Protection;

/// <summary>What endangers a database although it is followed: a log that grows, and another name of its file.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="watch">Knows its log.</param>
/// <param name="context">Messages.</param>
internal sealed class ProtectionHazards(string databasePath, DatabaseWatch watch, OperationContext context)
{
    private const long LongLog = 64L << 20;

    private bool isLogLong;

    /// <summary>What is wrong for as long as nobody changes it, as a sentence; null if nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Looks, and warns of what has become so since the last time.</summary>
    public void Look()
    {
        LookAtLog();
        LookAtNames();
    }

    private void LookAtLog()
    {
        var wasLong = isLogLong;
        isLogLong = watch.LogBytes > LongLog;
        if (isLogLong && !wasLong)
        {
            context.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"The write-ahead log of '{databasePath}' has {watch.LogBytes >> 20} MiB, because commits leave no gap for a checkpoint, or a reader does not end. It shrinks when they do."));
        }
    }

    private void LookAtNames()
    {
        var before = Problem;
        Problem = CountNames() > 1
            ? $"'{databasePath}' has got another name (a hard link). SQLite keeps a log beside each name, so whoever opens it by the other one damages it, and what is committed there is not protected. Remove the other name, or make a copy of it (cp --reflink=auto) if it is to stay."
            : null;
        if (Problem is not null && before is null)
        {
            context.Warn(Problem);
        }
    }

    private long CountNames()
    {
        try
        {
            // Each folder has several.
            return FileStatus.Of(databasePath) is { IsRegular: true } ? FileIdentity.CountNames(databasePath) : 0;
        }
        catch (IOException)
        {
            // It is gone, which the watch tells.
            return 0;
        }
    }
}
