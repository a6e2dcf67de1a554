using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>Gives every request the same answer: one of a service that no emulator can produce.</summary>
public sealed class CannedServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly byte[] answer;
    private readonly X509Certificate2? certificate;
    private readonly Task serving;
    private int connections;

    /// <param name="status">The end of the status line, such as "403 Forbidden".</param>
    /// <param name="headers">Headers, each such as "Date: …".</param>
    /// <param name="body">The body; a HEAD request gets none.</param>
    /// <param name="certificate">Its certificate; null for plain HTTP.</param>
    public CannedServer(string status, string[] headers, string body = "", X509Certificate2? certificate = null)
    {
        this.certificate = certificate;
        answer = Encoding.UTF8.GetBytes(string.Join(
            "\r\n", [$"HTTP/1.1 {status}", .. headers, $"Content-Length: {Encoding.UTF8.GetByteCount(body)}", "Connection: close", string.Empty, body]));
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>Its address.</summary>
    public Uri Address => new($"{(certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/account");

    /// <summary>The number of connections.</summary>
    public int Connections => connections;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        listener.Dispose();
        stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(stopping.Token);
                Interlocked.Increment(ref connections);
                await AnswerAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or AuthenticationException or OperationCanceledException)
            {
                // The client went away, or did not trust us, or the test is over.
            }
        }
    }

    private async Task AnswerAsync(Stream stream)
    {
        if (certificate is not null)
        {
            var secure = new SslStream(stream);
            await secure.AuthenticateAsServerAsync(certificate);
            stream = secure;
        }

        using var reader = new StreamReader(stream, Encoding.Latin1);
        var first = await reader.ReadLineAsync(stopping.Token) ?? string.Empty;
        var length = 0;
        while (await reader.ReadLineAsync(stopping.Token) is { Length: > 0 } header)
        {
            length = header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)
                ? int.Parse(header[15..], System.Globalization.CultureInfo.InvariantCulture)
                : length;
        }

        // With an empty buffer, the read would wait for data all the same.
        if (length > 0)
        {
            await reader.ReadBlockAsync(new char[length], stopping.Token);
        }

        var sent = first.StartsWith("HEAD ", StringComparison.Ordinal) ? answer.AsMemory(0, answer.AsSpan().IndexOf("\r\n\r\n"u8) + 4) : answer;
        await stream.WriteAsync(sent, stopping.Token);
    }
}
