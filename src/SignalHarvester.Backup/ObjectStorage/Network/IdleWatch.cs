namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>Stops a request in which nothing has moved for a while.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly TimeSpan timeout;
    private readonly CancellationToken caller;
    private readonly CancellationTokenSource source;

    /// <summary>Begins to watch.</summary>
    /// <param name="timeout">How long nothing may move.</param>
    /// <param name="caller">Stops the request too.</param>
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

    /// <summary>Something has moved.</summary>
    public void Touch() => source.CancelAfter(timeout);

    /// <summary>The fault of a request that was stopped because nothing moved: one of the connection, which may be tried again.</summary>
    public IOException Expired(Exception inner) => new(
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"no data moved for {timeout.TotalSeconds:0} seconds"), inner);

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();
}
