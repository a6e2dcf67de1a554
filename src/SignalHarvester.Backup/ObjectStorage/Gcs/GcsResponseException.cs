using System.Globalization;
using System.Net;
using System.Text.Json;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>A failed answer of Cloud Storage. Its message contains no address and no credential.</summary>
internal sealed class GcsResponseException : Exception
{
    private const int MostBytes = 16 << 10;
    private const int MostCharacters = 300;

    private readonly string said;

    private GcsResponseException(HttpStatusCode status, string? reason, string said, string text, TimeSpan? retryAfter)
        : base(text)
    {
        this.said = said;
        Status = status;
        Reason = reason;
        RetryAfter = retryAfter;
    }

    /// <summary>The status of the answer.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>The service's own word for the failure, such as rateLimitExceeded; null if it gave none.</summary>
    public string? Reason { get; }

    /// <summary>How long the service asks us to wait; null if it does not.</summary>
    public TimeSpan? RetryAfter { get; }

    // Only the service's sentence shows the following.

    /// <summary>Whether a bucket is missing, and not an object.</summary>
    public bool IsOfBucket => Mentions("bucket") && !Mentions("object");

    /// <summary>Whether the arrived bytes do not match their checksum.</summary>
    public bool IsOfChecksum => Mentions("crc32c") || Mentions("md5");

    /// <summary>Whether the object is locked.</summary>
    public bool IsOfRetention => Reason is "retentionPolicyNotMet" or "objectUnderActiveHold" || Mentions("cannot be deleted, overwritten");

    /// <summary>Reads an answer.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="quoted">Whether the service's sentence may be shown; not if it could repeat a session's address.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<GcsResponseException> OfAsync(HttpResponseMessage response, bool quoted, CancellationToken cancellation)
    {
        var error = await ErrorOfAsync(response.Content, cancellation).ConfigureAwait(false);
        var reason = error?.Errors is [{ Reason: { Length: > 0 } given }, ..] ? Shown(given) : null;
        var text = string.Create(CultureInfo.InvariantCulture, $"HTTP {(int)response.StatusCode}");
        text = reason is null ? text : $"{text} {reason}";
        var said = error?.Message ?? string.Empty;
        text = quoted && said.Length > 0 ? $"{text}: {Shown(said)}" : text;
        return new GcsResponseException(response.StatusCode, reason, said, text, WaitOf(response));
    }

    /// <summary>Makes a stranger's text fit for one line of a message.</summary>
    public static string Shown(string text) =>
        string.Concat(text.Take(MostCharacters).Select(character => char.IsControl(character) ? ' ' : character));

    private bool Mentions(string word) => said.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static async Task<GcsError?> ErrorOfAsync(HttpContent content, CancellationToken cancellation)
    {
        var body = await content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            var bytes = new byte[MostBytes];
            var read = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            try
            {
                return JsonSerializer.Deserialize(bytes.AsSpan(0, read), GcsJson.Default.GcsErrorBody)?.Error;
            }
            catch (JsonException)
            {
                // A proxy's page, or nothing: the status says enough.
                return null;
            }
        }
    }

    private static TimeSpan? WaitOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => TimeSpan.FromTicks(Math.Max(0, (date - DateTimeOffset.UtcNow).Ticks)),
        _ => null,
    };
}
