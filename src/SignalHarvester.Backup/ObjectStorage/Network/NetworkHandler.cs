namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>
/// Handles the requests of all providers: it limits the bytes per second, and ends requests in which nothing moves. It does not
/// retry; the sender does.
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

            // A redirect would send the headers of a request, signed for one server, to another. And Google uses such a status for
            // something else.
            AllowAutoRedirect = false,
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
                request.Content = new PacedContent(request.Content, watch, sending);
            }

            var response = await base.SendAsync(request, watch.Token).ConfigureAwait(false);
            response.Content = await ReceivedContent.OpenAsync(response.Content, watch, receiving).ConfigureAwait(false);
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
