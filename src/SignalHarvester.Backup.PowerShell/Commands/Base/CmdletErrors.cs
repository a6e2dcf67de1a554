using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Errors of the engine as PowerShell's.</summary>
internal static class CmdletErrors
{
    /// <summary>An error of the engine as PowerShell records it: with its id, its category and the item concerned.</summary>
    public static ErrorRecord ToRecord(this BackupException exception) => new(
        exception,
        exception.ErrorId,
        Enum.TryParse<ErrorCategory>(exception.Category.ToString(), out var category) ? category : ErrorCategory.NotSpecified,
        exception.Target);

    /// <summary>Does something for one item; an error of the engine is reported, and the next item goes on.</summary>
    public static void ReportErrors(this Cmdlet cmdlet, Action action)
    {
        try
        {
            action();
        }
        catch (BackupException exception)
        {
            cmdlet.WriteError(exception.ToRecord());
        }
    }

    /// <summary>Does something that the whole call depends on; an error of the engine ends the call.</summary>
    public static void StopOnError(this Cmdlet cmdlet, Action action)
    {
        try
        {
            action();
        }
        catch (BackupException exception)
        {
            cmdlet.ThrowTerminatingError(exception.ToRecord());
            throw;
        }
    }

    /// <inheritdoc cref="StopOnError(Cmdlet, Action)"/>
    public static T StopOnError<T>(this Cmdlet cmdlet, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (BackupException exception)
        {
            cmdlet.ThrowTerminatingError(exception.ToRecord());
            throw;
        }
    }
}
