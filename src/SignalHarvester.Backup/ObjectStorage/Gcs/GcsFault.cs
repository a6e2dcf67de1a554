using System.Net;
using System.Security.Authentication;
using System.Text.Json;
using Google.Apis.Auth.OAuth2.Responses;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>The failures of Cloud Storage: which may be retried, and which error each becomes in the end.</summary>
internal sealed class GcsFault(StoreLocation location, StoreOptions options)
{
    private const string HowToGiveCredentials =
        "Set the environment variable GOOGLE_APPLICATION_CREDENTIALS to the path of a service account's key file, run 'gcloud auth application-default login', or run on a Google Cloud machine with a service account.";

    // If a service asks for more, we do not wait.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>The errors that all providers share.</summary>
    public StoreFault Store { get; } = new(location);

    /// <summary>No credentials could be found.</summary>
    public BackupException CredentialsMissing() => Store.CredentialsMissing(HowToGiveCredentials, null);

    /// <summary>The credentials cannot be used.</summary>
    public BackupException CredentialsUnusable(string detail, Exception? inner) =>
        Store.CredentialsMissing($"{detail} {HowToGiveCredentials}", inner);

    /// <summary>Whether a failure may pass by itself.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        GcsResponseException response => !(response.RetryAfter > LongestWait)
            && (IsTransient(response.Status) || response is { Status: HttpStatusCode.Forbidden, Reason: "rateLimitExceeded" or "userRateLimitExceeded" }),
        TokenResponseException { StatusCode: { } status } => IsTransient(status),
        HttpRequestException connection => !IsTls(connection),
        IOException => true,
        OperationCanceledException { InnerException: TimeoutException } => true,
        _ => false,
    };

    /// <summary>Returns the error for a failure; null if it is already one of ours.</summary>
    /// <param name="exception">The failure.</param>
    /// <param name="action">The action.</param>
    /// <param name="name">The object concerned; null if it is none.</param>
    public BackupException? Translate(Exception exception, string action, string? name) => exception switch
    {
        GcsResponseException response => Translate(response, action, name),
        TokenResponseException { Error: var error } when IsClockSkew(error) =>
            Store.ClockSkew(GcsResponseException.Shown(error.ErrorDescription), null),
        TokenResponseException token when !IsTransient(token) =>
            Store.AccessDenied("getting an access token", $"{GcsResponseException.Shown($"{token.Error?.Error} {token.Error?.ErrorDescription}")}", null),
        TokenResponseException => Store.Unavailable("getting an access token", "the token service does not work", null),
        HttpRequestException connection when IsTls(connection) => Store.TlsFailed(connection.InnerException!.Message, connection),
        JsonException => Store.Unavailable(action, "the answer is not from Cloud Storage", exception),
        _ when IsTransient(exception) => Store.Unavailable(action, exception.Message, exception),
        _ => null,
    };

    private BackupException Translate(GcsResponseException response, string action, string? name) => response.Status switch
    {
        _ when IsTransient(response) || IsTransient(response.Status) => Store.Unavailable(action, response.Message, response),
        HttpStatusCode.BadRequest or HttpStatusCode.PreconditionFailed when name is not null && response.IsOfChecksum =>
            Store.ChecksumMismatch(name, "the received bytes differ from the sent ones, and the service refused them", response),
        HttpStatusCode.Unauthorized => Store.AccessDenied(action, response.Message, response),
        HttpStatusCode.Forbidden when response.IsOfRetention => Store.Refused(action, response.Message, response),
        HttpStatusCode.Forbidden => Store.AccessDenied(action, response.Message, response),
        HttpStatusCode.NotFound => Store.ContainerNotFound(response),
        HttpStatusCode.PreconditionFailed when name is not null => Store.ObjectExists(name, response),
        _ => Store.Refused(action, response.Message + OptionsUsed(), response),
    };

    private static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    // A connection that broke during the handshake says nothing about trust.
    private static bool IsTls(HttpRequestException exception) => exception.InnerException is AuthenticationException;

    private static bool IsClockSkew(TokenErrorResponse? error) =>
        error is { Error: "invalid_grant", ErrorDescription: { } description } && description.Contains("iat and exp", StringComparison.Ordinal);

    /// <summary>The options that may be the reason why a request is refused.</summary>
    private string OptionsUsed() =>
        (options.ImmutableFor is null ? string.Empty : "; -ImmutableFor needs a bucket that was created with object retention")
        + (options.StorageClass is { } storageClass ? $"; -StorageClass is '{storageClass}'" : string.Empty)
        + (options.EncryptionKey is { } key
            ? $"; -KmsKeyId is '{key}', which must be a Cloud KMS key in the bucket's location that its service agent may use"
            : string.Empty);
}
