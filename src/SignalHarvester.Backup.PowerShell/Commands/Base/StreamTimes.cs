namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The limits of the times of continuous protection, which two cmdlets take.</summary>
internal static class StreamTimes
{
    /// <summary>The longest time between two ordinary backups.</summary>
    public static readonly TimeSpan LongestBackupInterval = TimeSpan.FromDays(7);

    /// <summary>The longest time between two audits.</summary>
    public static readonly TimeSpan LongestAuditInterval = TimeSpan.FromDays(365);

    /// <summary>The longest time for which transactions are kept.</summary>
    public static readonly TimeSpan LongestKeep = TimeSpan.FromDays(3650);

    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1);

    /// <summary>Refuses a time outside the limits.</summary>
    /// <param name="parameter">Its parameter.</param>
    /// <param name="given">The time; null if it was not given.</param>
    /// <param name="most">The longest one.</param>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    public static void Require(string parameter, BackupAge? given, TimeSpan most)
    {
        if (given?.Value is { } time && (time < Least || time > most))
        {
            throw BackupException.InvalidArgument(
                parameter, $"-{parameter} must be from {(BackupAge)Least} to {(BackupAge)most}.");
        }
    }
}
