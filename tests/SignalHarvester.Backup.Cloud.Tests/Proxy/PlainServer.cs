using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>
/// A server of HTTP/1.1 that knows two things: GET /bytes/N and GET /chunks/N answer with N bytes, at once or in chunks, and
/// anything with a body answers with the body's SHA-256.
/// </summary>
internal sealed class PlainServer : IAsyncDisposable
{
    private readonly HttpListener listener;
    private readonly Task serving;

    public PlainServer()
    {
        (listener, Address) = Listen();
        serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What it answers with.</summary>
    public static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
        listener.Close();
    }

    /// <summary>HttpListener cannot choose a free port by itself, and one that was free a moment ago may be taken.</summary>
    private static (HttpListener Listener, Uri Address) Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/"));
            probe.Stop();
            var listener = new HttpListener();
            try
            {
                listener.Prefixes.Add(address.AbsoluteUri);
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                listener.Close();
            }
        }
    }

    private async Task ServeAsync()
    {
        var answers = new List<Task>();
        try
        {
            // Between two requests it may have been stopped, and is then asked for no other.
            while (listener.IsListening)
            {
                answers.Add(AnswerAsync(await listener.GetContextAsync()));
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException && !listener.IsListening)
        {
            // The test is over.
        }

        await Task.WhenAll(answers);
    }

    private static async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            var response = context.Response;
            response.Headers["ETag"] = "\"0123\"";
            if (context.Request.HasEntityBody)
            {
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                await response.OutputStream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(StoreTransfer.Sha256(body.ToArray())));
            }
            else
            {
                var content = Bytes(int.Parse(context.Request.Url!.Segments[^1], CultureInfo.InvariantCulture));
                response.SendChunked = context.Request.Url.Segments[1] == "chunks/";
                if (!response.SendChunked)
                {
                    response.ContentLength64 = content.Length;
                }

                // HttpListener writes no bytes as a chunk of no bytes, which ends the body, and then ends it once more.
                if (context.Request.HttpMethod != "HEAD" && content.Length > 0)
                {
                    await response.OutputStream.WriteAsync(content);
                }
            }

            response.Close();
        }
        catch (Exception exception) when (exception is IOException or HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection was dropped: what this is for.
        }
    }
}
