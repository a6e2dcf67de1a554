using System.Net;
using System.Security.Authentication;
using Amazon.Runtime;
using SignalHarvester.Backup.ObjectStorage.Network;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>Makes the SDK send all its requests to the store through one <see cref="NetworkHandler"/>.</summary>
internal sealed class S3Connections : HttpClientFactory, IDisposable
{
    private readonly HttpClient http;

    /// <summary>Makes the one client.</summary>
    /// <param name="options">Limit and timeout.</param>
    /// <param name="fault">Makes the errors.</param>
    public S3Connections(StoreOptions options, StoreFault fault) =>
        http = new HttpClient(new AnswersInOrder(fault, new NetworkHandler(options))) { Timeout = Timeout.InfiniteTimeSpan };

    /// <inheritdoc/>
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => http;

    /// <inheritdoc/>
    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    /// <summary>Corrects answers that the SDK would misunderstand.</summary>
    private sealed class AnswersInOrder(StoreFault fault, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private const int LargestRefusal = 64 << 10;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);

                // Other services send 429 where S3 sends 503, but the SDK would not retry it.
                if (response.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    response.StatusCode = HttpStatusCode.ServiceUnavailable;
                }

                // Another conditional request for the same object is under way: whether the condition is met is not known yet, and S3 asks to
                // try again. The SDK would not.
                if (response.StatusCode == HttpStatusCode.Conflict && await IsUndecidedAsync(response, cancellationToken).ConfigureAwait(false))
                {
                    response.StatusCode = HttpStatusCode.ServiceUnavailable;
                }

                if (IsOfNoRequest(response))
                {
                    response.Dispose();
                    if (request.Content is not null)
                    {
                        // Only the SDK can send content again.
                        throw new HttpRequestException(HttpRequestError.InvalidResponse, "the connection lost its place");
                    }

                    response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                }

                return response;
            }
            catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException untrusted)
            {
                // The SDK would retry it again and again.
                throw fault.TlsFailed(untrusted.Message, exception);
            }
        }

        private static async Task<bool> IsUndecidedAsync(HttpResponseMessage response, CancellationToken cancellation)
        {
            await response.Content.LoadIntoBufferAsync(LargestRefusal, cancellation).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            return text.Contains($"<Code>{S3Fault.UndecidedCode}</Code>", StringComparison.Ordinal);
        }

        // Refusals of S3 carry a request's id, also those without content. Ceph refuses some requests before their content has
        // arrived, but .NET sends content below 1 KiB all the same. Ceph takes that for the beginning of the next request, which then
        // gets this answer without having been read.
        private static bool IsOfNoRequest(HttpResponseMessage response) =>
            response.StatusCode == HttpStatusCode.BadRequest && response.Content.Headers.ContentLength == 0 && !response.Headers.Contains("x-amz-request-id");
    }
}
