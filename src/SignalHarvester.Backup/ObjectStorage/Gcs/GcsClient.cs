using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polly;
using Polly.Retry;
using SignalHarvester.Backup.ObjectStorage.Network;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>Sends requests of the JSON API to the right address with a token, and retries failures that may pass.</summary>
internal sealed class GcsClient : IDisposable
{
    private const string EmulatorVariable = "STORAGE_EMULATOR_HOST";

    private static readonly Uri GooglesOwn = new("https://storage.googleapis.com");

    private readonly GcsFault fault;
    private readonly HttpClient http;
    private readonly ResiliencePipeline retries;
    private readonly Uri endpoint;
    private readonly GcsCredentials? credentials;

    /// <summary>Makes a client.</summary>
    /// <param name="location">The bucket.</param>
    /// <param name="options">Its options.</param>
    /// <param name="fault">Makes the errors.</param>
    /// <exception cref="BackupException">CloudRefused: the endpoint is invalid.</exception>
    public GcsClient(StoreLocation location, StoreOptions options, GcsFault fault)
    {
        this.fault = fault;
        var emulator = location.Endpoint is null ? Environment.GetEnvironmentVariable(EmulatorVariable) : null;
        endpoint = string.IsNullOrEmpty(emulator)
            ? RequireEndpoint(location.Endpoint ?? GooglesOwn, "the endpoint")
            : new Uri(RequireEndpoint(EmulatorAddress(emulator), EmulatorVariable), "/");

        // An emulator gets no credentials, the same as from Google's own libraries.
        credentials = string.IsNullOrEmpty(emulator) ? new GcsCredentials(fault) : null;
        http = new HttpClient(new NetworkHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("SignalHarvester.Backup");
        retries = options.MostRetries == 0 ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = options.MostRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromSeconds(0.5),
            MaxDelay = TimeSpan.FromSeconds(30),
            ShouldHandle = static attempt => ValueTask.FromResult(attempt.Outcome.Exception is { } exception && GcsFault.IsTransient(exception)),
            DelayGenerator = static attempt => ValueTask.FromResult((attempt.Outcome.Exception as GcsResponseException)?.RetryAfter),
        }).Build();
    }

    /// <summary>Returns the address of something in the service.</summary>
    /// <param name="pathAndQuery">Its path and query, from the slash, escaped.</param>
    public Uri Address(string pathAndQuery) => new(endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/') + pathAndQuery);

    /// <summary>Makes a request for something in the service.</summary>
    /// <param name="pathAndQuery">Its path and query, from the slash, escaped.</param>
    public Func<HttpRequestMessage> Get(string pathAndQuery) => () => new HttpRequestMessage(HttpMethod.Get, Address(pathAndQuery));

    /// <summary>Makes a body of the API.</summary>
    public static HttpContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "UTF-8");
        return content;
    }

    /// <summary>Returns the address in a Location header.</summary>
    public Uri Follow(Uri given) => new(endpoint, given);

    /// <summary>Returns the project of new buckets; null if unknown.</summary>
    public async Task<string?> ProjectAsync(CancellationToken cancellation) =>
        Environment.GetEnvironmentVariable("GOOGLE_CLOUD_PROJECT") is { Length: > 0 } project
            ? project
            : credentials is null ? null : await credentials.ProjectAsync(cancellation).ConfigureAwait(false);

    /// <summary>Runs attempts until one succeeds, or none can.</summary>
    /// <param name="action">The action, for an error.</param>
    /// <param name="name">The object concerned; null if it is none.</param>
    /// <param name="attempt">One attempt.</param>
    /// <param name="meaning">The error for an answer with a special meaning here; null if it has none.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<T> RunAsync<T>(
        string action,
        string? name,
        Func<CancellationToken, Task<T>> attempt,
        Func<GcsResponseException, BackupException?>? meaning,
        CancellationToken cancellation)
    {
        try
        {
            return await retries.ExecuteAsync(
                static async (attempt, stop) => await attempt(stop).ConfigureAwait(false), attempt, cancellation).ConfigureAwait(false);
        }
        catch (GcsResponseException response) when (meaning?.Invoke(response) is { } meant)
        {
            throw meant;
        }
        catch (Exception exception) when (fault.Translate(exception, action, name) is { } error)
        {
            throw error;
        }
    }

    /// <summary>Sends a request once, and once more with a fresh token if the service refuses the first one.</summary>
    /// <param name="make">Makes the request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="isSession">Whether its address is that of a session, which must not be shown.</param>
    /// <returns>A successful answer, or one that says that a session waits for more.</returns>
    /// <exception cref="GcsResponseException">Any other answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellation, bool isSession = false)
    {
        for (var fresh = false; ; fresh = true)
        {
            using var request = make();
            var hasToken = await AuthorizeAsync(request, fresh, cancellation).ConfigureAwait(false);
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.PermanentRedirect)
            {
                return response;
            }

            using (response)
            {
                if (response.StatusCode == HttpStatusCode.Unauthorized && !hasToken)
                {
                    throw fault.CredentialsMissing();
                }

                if (response.StatusCode != HttpStatusCode.Unauthorized || fresh)
                {
                    throw await GcsResponseException.OfAsync(response, quoted: !isSession, cancellation).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Sends a request and reads its answer.</summary>
    public async Task<T> AskAsync<T>(Func<HttpRequestMessage> make, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var response = await SendAsync(make, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads an answer.</summary>
    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            return await JsonSerializer.DeserializeAsync(body, type, cancellation).ConfigureAwait(false)
                ?? throw new JsonException("The answer is null.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private async Task<bool> AuthorizeAsync(HttpRequestMessage request, bool fresh, CancellationToken cancellation)
    {
        if (credentials is null || !MayKnowToken(request.RequestUri!))
        {
            return false;
        }

        var token = await credentials.TokenAsync(fresh, cancellation).ConfigureAwait(false);
        if (token is null && endpoint == GooglesOwn)
        {
            throw fault.CredentialsMissing();
        }

        if (token is null)
        {
            return false;
        }

        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

        // The headers include the project that pays, if the credentials name one.
        token.AddHeaders(request);
        return true;
    }

    // Whoever has a token can act as its owner. So it goes only to the server for which it is meant, whatever a session's address
    // says, and over no connection that others can read.
    private bool MayKnowToken(Uri address) =>
        address.Scheme == endpoint.Scheme && address.Authority == endpoint.Authority && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback);

    // Some of Google's libraries expect the API's path in it, others a host without a scheme.
    private static Uri EmulatorAddress(string given) =>
        Uri.TryCreate(given.Contains("://", StringComparison.Ordinal) ? given : $"http://{given}", UriKind.Absolute, out var address)
            ? address
            : new Uri("about:blank");

    // A refused address is not repeated, because it could contain a password.
    private Uri RequireEndpoint(Uri address, string which) =>
        address is { IsAbsoluteUri: true, UserInfo: "", Query: "", Fragment: "" }
            && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
            ? address
            : throw fault.Store.Refused(
                "the address", $"{which} must be an address such as https://storage.googleapis.com, without user name, password, query or fragment", null);
}
