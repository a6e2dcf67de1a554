using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Turns errors of the engine into PowerShell's.</summary>
internal static class CmdletErrors
{
    /// <summary>Makes PowerShell's record of an error: with its id, its category and the item concerned.</summary>
    public static ErrorRecord ToRecord(this BackupException exception) => new(
        exception,
        exception.ErrorId,
        Enum.TryParse<ErrorCategory>(exception.Category.ToString(), out var category) ? category : ErrorCategory.NotSpecified,
        exception.Target);

    /// <summary>Runs an action for one item. An error of the engine is reported, and the next item follows.</summary>
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

    /// <summary>Runs an action on which the whole call depends. An error of the engine ends the call.</summary>
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
