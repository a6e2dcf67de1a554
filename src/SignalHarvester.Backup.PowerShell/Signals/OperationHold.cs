namespace SignalHarvester.Backup.PowerShell.Signals;

/// <summary>An operation in progress. <see cref="TerminationSignals"/> wait until this is disposed.</summary>
/// <param name="stop">Tells the operation to stop, and returns at once.</param>
internal sealed class OperationHold(Action stop) : IDisposable
{
    /// <summary>Whether a signal has stopped the operation.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Tells the operation to stop.</summary>
    public void Stop()
    {
        IsStopped = true;
        stop();
    }

    /// <inheritdoc/>
    public void Dispose() => TerminationSignals.Release(this);
}
