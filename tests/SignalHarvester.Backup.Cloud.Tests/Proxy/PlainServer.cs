using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>
/// A server of HTTP/1.1 with two functions: GET /bytes/N and GET /chunks/N return N bytes, at once or in chunks, and the answer to
/// any request with a body is the body's SHA-256.
/// </summary>
internal sealed class PlainServer : IAsyncDisposable
{
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(200);

    private readonly HttpListener listener;
    private readonly ConcurrentBag<HttpListenerContext> contexts = [];
    private readonly Task serving;

    public PlainServer()
    {
        (listener, Address) = Listen();
        serving = ServeAsync();
    }

    /// <summary>Its address.</summary>
    public Uri Address { get; }

    /// <summary>Returns the bytes of its answers.</summary>
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

        // A connection that comes while the listener stops stays open, and its answer would wait for ever for a client that does not read it.
        // HttpListener can also forget the one who waits for the next request: then nobody is kept waiting for that.
        for (var attempt = 1; attempt <= 10 && await Task.WhenAny(serving, Task.Delay(Breath)) != serving; attempt++)
        {
            foreach (var context in contexts)
            {
                context.Response.Abort();
            }
        }

        if (serving.IsCompleted)
        {
            await serving;
        }

        listener.Close();
    }

    /// <summary>HttpListener cannot choose a free port by itself, and a port that was free a moment ago may be taken.</summary>
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
            // It may have been stopped between two requests, and then must not be asked for another one.
            while (listener.IsListening)
            {
                var context = await listener.GetContextAsync();
                contexts.Add(context);
                answers.Add(AnswerAsync(context));
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

                // HttpListener writes no bytes as an empty chunk, which ends the body, and then ends it once more.
                if (context.Request.HttpMethod != "HEAD" && content.Length > 0)
                {
                    await response.OutputStream.WriteAsync(content);
                }
            }

            response.Close();
        }
        catch (Exception exception) when (exception is IOException or HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection was dropped, as intended.
        }
    }
}
