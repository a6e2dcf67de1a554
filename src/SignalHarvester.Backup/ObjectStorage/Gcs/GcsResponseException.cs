using System.Globalization;
using System.Net;
using System.Text.Json;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>An answer of Cloud Storage that is no success. Its message holds no address and no credential.</summary>
internal sealed class GcsResponseException : Exception
{
    private const int MostBytes = 16 << 10;
    private const int MostCharacters = 300;

    private GcsResponseException(HttpStatusCode status, string? reason, string text, TimeSpan? retryAfter)
        : base(text)
    {
        Status = status;
        Reason = reason;
        RetryAfter = retryAfter;
    }

    /// <summary>The status of the answer.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>The service's own word for it, such as rateLimitExceeded; null where it gave none.</summary>
    public string? Reason { get; }

    /// <summary>How long the service asks to wait; null where it does not.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Whether it is a bucket that is not there, and not an object: only the sentence tells.</summary>
    public bool IsOfBucket =>
        Message.Contains("bucket", StringComparison.OrdinalIgnoreCase) && !Message.Contains("object", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads an answer.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="quoted">Whether the service's sentence may be shown: not where it could repeat a session's address.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<GcsResponseException> OfAsync(HttpResponseMessage response, bool quoted, CancellationToken cancellation)
    {
        var error = await ErrorOfAsync(response.Content, cancellation).ConfigureAwait(false);
        var reason = error?.Errors is [{ Reason: { Length: > 0 } given }, ..] ? Shown(given) : null;
        var text = string.Create(CultureInfo.InvariantCulture, $"HTTP {(int)response.StatusCode}");
        text = reason is null ? text : $"{text} {reason}";
        text = quoted && error?.Message is { Length: > 0 } message ? $"{text}: {Shown(message)}" : text;
        return new GcsResponseException(response.StatusCode, reason, text, WaitOf(response));
    }

    /// <summary>A text of a stranger, fit for one line of a message.</summary>
    public static string Shown(string text) =>
        string.Concat(text.Take(MostCharacters).Select(character => char.IsControl(character) ? ' ' : character));

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
                // A proxy's page, or nothing at all: the status says enough.
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
