namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>Stops a request in which nothing has moved for some time.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly TimeSpan timeout;
    private readonly CancellationToken caller;
    private readonly CancellationTokenSource source;

    /// <summary>Begins to watch.</summary>
    /// <param name="timeout">The longest time without movement.</param>
    /// <param name="caller">The caller's token, which stops the request too.</param>
    public IdleWatch(TimeSpan timeout, CancellationToken caller)
    {
        this.timeout = timeout;
        this.caller = caller;
        source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        source.CancelAfter(timeout);
    }

    /// <summary>Stops the request.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>Whether it was stopped because nothing moved.</summary>
    public bool HasExpired => source.IsCancellationRequested && !caller.IsCancellationRequested;

    /// <summary>Notes that something has moved.</summary>
    public void Touch() => source.CancelAfter(timeout);

    /// <summary>Returns the fault of a request that was stopped because nothing moved: a connection fault, which may be retried.</summary>
    public IOException Expired(Exception inner) => new(
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"no data moved for {timeout.TotalSeconds:0} seconds"), inner);

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();
}
