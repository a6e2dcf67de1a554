using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Shows others how the protection of a database goes on, from its begin to its end: outside that the place is another process's.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="folder">Where the others look.</param>
/// <param name="status">Tells how it goes on.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class StatusBoard(string databasePath, ProtectionFolder folder, Func<BackupProtection> status, OperationContext context)
{
    private static readonly TimeSpan LongestUntold = TimeSpan.FromSeconds(20);

    private readonly Lock gate = new();
    private volatile BackupProtection? shown;
    private BackupProtection? written;
    private long lastWritten;
    private bool isFaulty;
    private bool isOpen;

    /// <summary>What was shown last; null before the first time.</summary>
    public BackupProtection? Shown => shown;

    /// <summary>Begins, and shows.</summary>
    public void Begin()
    {
        lock (gate)
        {
            isOpen = true;
            Show();
        }
    }

    /// <summary>Shows once more, and nothing after that.</summary>
    public void End()
    {
        lock (gate)
        {
            Show();
            isOpen = false;
        }
    }

    /// <summary>Shows what is new.</summary>
    public void Show()
    {
        try
        {
            lock (gate)
            {
                if (!isOpen)
                {
                    return;
                }

                var current = status();
                shown = current;

                // A thousand databases at rest would write a thousand files each second to say that they were looked at.
                var news = current with { LastLook = null };
                if (news != written || context.Clock.GetElapsedTime(lastWritten) >= LongestUntold)
                {
                    folder.Show(current);
                    (written, lastWritten) = (news, context.Clock.GetTimestamp());
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!isFaulty)
            {
                context.Warn($"The status of the protection of '{databasePath}' cannot be shown: {exception.Message}");
            }

            isFaulty = true;
        }
    }
}
