using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that run an operation of the engine without a backup directory.</summary>
public abstract class OperationCommand : PSCmdlet, IDisposable
{
    /// <summary>Makes the cmdlet.</summary>
    protected OperationCommand() => Runner = new OperationRunner(this);

    private protected OperationRunner Runner { get; }

    /// <summary>Releases the cmdlet's resources.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the cmdlet's resources.</summary>
    /// <param name="disposing">Whether this is a call of Dispose.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Runner.Dispose();
        }
    }

    /// <summary>Ctrl+C: tells the operation to stop; ProcessRecord then waits for its clean-up.</summary>
    protected override void StopProcessing() => Runner.Stop();
}
