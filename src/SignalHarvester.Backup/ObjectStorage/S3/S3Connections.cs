using System.Security.Authentication;
using Amazon.Runtime;
using SignalHarvester.Backup.ObjectStorage.Network;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>Has the SDK send all its requests to the store through one <see cref="NetworkHandler"/>.</summary>
internal sealed class S3Connections : HttpClientFactory, IDisposable
{
    private readonly HttpClient http;

    /// <summary>Makes the one client.</summary>
    /// <param name="options">Limit and timeout.</param>
    /// <param name="fault">Names the errors.</param>
    public S3Connections(StoreOptions options, CloudFault fault) =>
        http = new HttpClient(new TrustRequired(fault, new NetworkHandler(options))) { Timeout = Timeout.InfiniteTimeSpan };

    /// <inheritdoc/>
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => http;

    /// <inheritdoc/>
    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    /// <summary>Names a connection that cannot be trusted for what it is, at once: the SDK would try again and again.</summary>
    private sealed class TrustRequired(CloudFault fault, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException untrusted)
            {
                throw fault.TlsFailed(untrusted.Message, exception);
            }
        }
    }
}
