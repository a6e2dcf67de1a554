namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>
/// What all providers' requests go through: a limit on bytes per second, and an end to requests in which nothing moves.
/// It retries nothing; whoever sends does.
/// </summary>
internal sealed class NetworkHandler : DelegatingHandler
{
    private readonly TimeSpan idleTimeout;
    private readonly BandwidthLimiter? sending;
    private readonly BandwidthLimiter? receiving;

    /// <summary>Makes a handler with connections of its own.</summary>
    /// <param name="options">Limit and timeout.</param>
    public NetworkHandler(StoreOptions options)
        : base(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AutomaticDecompression = System.Net.DecompressionMethods.None,
        })
    {
        idleTimeout = options.NetworkTimeout;
        if (options.BandwidthLimit is { } limit)
        {
            sending = new BandwidthLimiter(limit);
            receiving = new BandwidthLimiter(limit);
        }
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var watch = new IdleWatch(idleTimeout, cancellationToken);
        try
        {
            if (request.Content is not null)
            {
                request.Content = new PacedContent(request.Content, watch, sending, ownsWatch: false);
            }

            var response = await base.SendAsync(request, watch.Token).ConfigureAwait(false);
            response.Content = new PacedContent(response.Content, watch, receiving, ownsWatch: true);
            return response;
        }
        catch (OperationCanceledException exception) when (watch.HasExpired)
        {
            watch.Dispose();
            throw watch.Expired(exception);
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            sending?.Dispose();
            receiving?.Dispose();
        }

        base.Dispose(disposing);
    }
}
