using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Metrics;

/// <summary>Pushes metrics to a Prometheus Pushgateway, which keeps them until the next push of the same group.</summary>
public static class MetricPush
{
    private const int LongestAnswer = 300;
    private const int MostBytesRead = 1 << 20;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Replaces all metrics of a group.</summary>
    /// <param name="gateway">The gateway's address, such as http://127.0.0.1:9091. A user and password in it are sent, but never shown.</param>
    /// <param name="job">The group's label job.</param>
    /// <param name="instance">The group's label instance; null for none.</param>
    /// <param name="text">The metrics: <see cref="MetricText.Of"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">MetricPushFailed; InvalidArgument: it is not an address of a gateway.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static void Run(Uri gateway, string job, string? instance, byte[] text, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        ArgumentException.ThrowIfNullOrEmpty(job);
        ArgumentNullException.ThrowIfNull(text);
        if (!gateway.IsAbsoluteUri || gateway.Scheme is not ("http" or "https"))
        {
            throw BackupException.InvalidArgument(
                "PushGateway",
                $"'{(gateway.IsAbsoluteUri ? Shown(gateway) : gateway.OriginalString)}' is not an address of a Pushgateway. Give one such as http://127.0.0.1:9091.");
        }

        using var client = new HttpClient { Timeout = Timeout, MaxResponseContentBufferSize = MostBytesRead };
        using var request = new HttpRequestMessage(HttpMethod.Put, Address(gateway, job, instance)) { Content = new ByteArrayContent(text) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(MetricText.ContentType);
        if (gateway.UserInfo.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(gateway.UserInfo))));
        }

        try
        {
            using var answer = client.Send(request, HttpCompletionOption.ResponseContentRead, cancellation);
            if (!answer.IsSuccessStatusCode)
            {
                throw Refused(gateway, answer);
            }

            // The redirect became a GET (303). That asks for a page and delivers nothing, whatever the page answers.
            if (request.Method != HttpMethod.Put)
            {
                throw Failed(gateway, "it redirects to another address, and metrics are not sent there", null);
            }
        }
        catch (HttpRequestException exception)
        {
            throw Failed(gateway, exception.Message, exception);
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            throw Failed(gateway, string.Create(CultureInfo.InvariantCulture, $"no answer within {Timeout.TotalSeconds:F0} seconds"), exception);
        }
    }

    private static Uri Address(Uri gateway, string job, string? instance)
    {
        var path = gateway.GetComponents(UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');
        var group = "/metrics/job" + Value(job) + (instance is { Length: > 0 } ? "/instance" + Value(instance) : string.Empty);
        return new Uri($"{gateway.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}{(path.Length > 0 ? "/" + path : string.Empty)}{group}");
    }

    /// <summary>A label's value as a segment of a path: an ambiguous value goes as Base64, which the gateway understands.</summary>
    private static string Value(string value) => value.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
        ? "/" + value
        : "@base64/" + Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static BackupException Refused(Uri gateway, HttpResponseMessage answer)
    {
        using var reader = new StreamReader(answer.Content.ReadAsStream(), Encoding.UTF8);
        var said = SingleLine.Of(reader.ReadToEnd()).Trim();
        var status = string.Create(CultureInfo.InvariantCulture, $"it answered {(int)answer.StatusCode} {SingleLine.Of(answer.ReasonPhrase ?? string.Empty)}");
        return answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            ? Failed(gateway, status + ", so it needs other credentials", null)
            : Failed(gateway, said.Length == 0 ? status : $"{status}: {(said.Length > LongestAnswer ? said[..LongestAnswer] + "..." : said)}", null);
    }

    private static BackupException Failed(Uri gateway, string reason, Exception? exception) => new(
        BackupErrorId.MetricPushFailed, Shown(gateway),
        $"The Pushgateway '{Shown(gateway)}' did not accept the metrics: {reason.TrimEnd('.')}. Check the address, and that the gateway runs. The counters are safe in the history.",
        exception);

    private static string Shown(Uri gateway) => gateway.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}
