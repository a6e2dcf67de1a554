using System.Management.Automation;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Reads the parameters of continuous protection.</summary>
internal static class StreamParameters
{
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestBackupInterval = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestAuditInterval = TimeSpan.FromDays(365);
    private static readonly TimeSpan LongestKeep = TimeSpan.FromDays(3650);

    /// <summary>Returns what was given; the rest is null, as configured.</summary>
    /// <param name="cmdlet">The cmdlet.</param>
    /// <exception cref="BackupException">InvalidArgument: a time is outside its limits.</exception>
    public static ContinuousJob ToJob<T>(this T cmdlet)
        where T : PSCmdlet, IStreamParameters
    {
        Require(nameof(cmdlet.BackupInterval), cmdlet.BackupInterval, LongestBackupInterval);
        Require(nameof(cmdlet.AuditInterval), cmdlet.AuditInterval, LongestAuditInterval);
        Require(nameof(cmdlet.KeepTransactions), cmdlet.KeepTransactions, LongestKeep);
        return new ContinuousJob
        {
            Interval = cmdlet.Interval is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            BackupInterval = cmdlet.BackupInterval?.Value,
            AuditInterval = cmdlet.AuditInterval?.Value,
            KeepTransactions = cmdlet.KeepTransactions?.Value,
            KeepRemote = cmdlet.IsBound(nameof(cmdlet.KeepRemote)) ? cmdlet.KeepRemote : null,
            Checkpoint = cmdlet.IsBound(nameof(cmdlet.NoCheckpoint)) ? !cmdlet.NoCheckpoint : null,
        };
    }

    private static void Require(string parameter, BackupAge? given, TimeSpan most)
    {
        if (given?.Value is { } time && (time < Least || time > most))
        {
            throw BackupException.InvalidArgument(
                parameter, $"-{parameter} must be from {(BackupAge)Least} to {(BackupAge)most}.");
        }
    }
}
