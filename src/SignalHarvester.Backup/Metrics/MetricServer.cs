using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Metrics;

/// <summary>
/// Serves the metrics of a backup directory over HTTP, derived again for each scrape. It uses no web framework, and no HttpListener,
/// because that needs an administrator on Windows and answers by the requested host name.
/// </summary>
public sealed class MetricServer : IDisposable
{
    private const int LongestRequest = 16 * 1024;
    private const int MostConnections = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly TcpListener listener;
    private readonly BackupDirectory directory;
    private readonly MetricOptions options;
    private readonly Lock collecting = new();
    private string? lastFault;

    /// <summary>Takes the port.</summary>
    /// <param name="address">The address to listen on: an IP address of this machine, or localhost.</param>
    /// <param name="port">The port; 0 for a free one.</param>
    /// <param name="directory">The backup directory. It need not exist yet.</param>
    /// <param name="options">Further values for the metrics.</param>
    /// <exception cref="BackupException">MetricServerFailed: the port is taken, or not for this account; InvalidArgument.</exception>
    public MetricServer(string address, int port, BackupDirectory directory, MetricOptions options)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        this.directory = directory;
        this.options = options;
        listener = new TcpListener(Parse(address), port) { ExclusiveAddressUse = true };
        try
        {
            listener.Start();
        }
        catch (SocketException exception)
        {
            listener.Dispose();
            throw Failed(address, port, exception);
        }
    }

    /// <summary>The address of the metrics.</summary>
    public Uri Url => new($"http://{listener.LocalEndpoint}/metrics");

    /// <summary>Answers scrapes until it is stopped.</summary>
    /// <param name="context">Clock, messages; its cancellation stops the server.</param>
    public void Run(OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        RunAsync(context).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose() => listener.Dispose();

    private async Task RunAsync(OperationContext context)
    {
        // Not disposed, because answers that are still running at the end release their places.
        var free = new SemaphoreSlim(MostConnections);
        try
        {
            while (true)
            {
                await free.WaitAsync(context.Cancellation).ConfigureAwait(false);
                if (await AcceptAsync(context.Cancellation).ConfigureAwait(false) is { } client)
                {
                    _ = Task.Run(() => ServeAsync(client, free, context), CancellationToken.None);
                }
                else
                {
                    free.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped on purpose.
        }
    }

    /// <summary>Returns the next connection; null if it was gone before it could be taken, or the process has too many files open at the moment.</summary>
    private async Task<TcpClient?> AcceptAsync(CancellationToken cancellation)
    {
        try
        {
            return await listener.AcceptTcpClientAsync(cancellation).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            return null;
        }
    }

    private async Task ServeAsync(TcpClient client, SemaphoreSlim free, OperationContext context)
    {
        try
        {
            using (client)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
                patience.CancelAfter(Patience);
                var stream = client.GetStream();
                if (await ReadRequestAsync(stream, patience.Token).ConfigureAwait(false) is { } line)
                {
                    await stream.WriteAsync(Answer(line, context), patience.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // Gone, or too slow: the next scrape will come.
        }
        finally
        {
            // Whatever happened: a place that is not released would be one connection less permanently.
            free.Release();
        }
    }

    /// <summary>Returns the first line of a request, once its head has arrived; null if none arrived.</summary>
    private static async Task<string?> ReadRequestAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[LongestRequest];
        var length = 0;
        while (length < buffer.Length && buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return null;
            }

            length += read;
        }

        return Encoding.Latin1.GetString(buffer, 0, length).Split("\r\n")[0];
    }

    private byte[] Answer(string requestLine, OperationContext context)
    {
        var words = requestLine.Split(' ');
        if (words is not [var method, var target, ['H', 'T', 'T', 'P', '/', '1', '.', _]])
        {
            return Response("400 Bad Request", "This is not an HTTP request.\n"u8, withBody: true);
        }

        if (method is not ("GET" or "HEAD"))
        {
            return Response("405 Method Not Allowed", "Only GET and HEAD.\n"u8, withBody: true, "Allow: GET, HEAD\r\n");
        }

        return target.Split('?')[0] is "/metrics"
            ? Metrics(method == "GET", context)
            : Response("404 Not Found", "The metrics are at /metrics.\n"u8, withBody: method == "GET");
    }

    private byte[] Metrics(bool withBody, OperationContext context)
    {
        try
        {
            byte[] text;
            lock (collecting)
            {
                text = MetricText.Of(directory, options, context);
            }

            lastFault = null;
            return Response("200 OK", text, withBody, contentType: MetricText.ContentType);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Reported once, not at every scrape. Whatever it is, the server continues, and the next scrape may succeed.
            if (Interlocked.Exchange(ref lastFault, exception.Message) != exception.Message)
            {
                context.Warn($"The metrics cannot be served: {exception.Message}");
            }

            var id = (exception as BackupException)?.ErrorId ?? exception.GetType().Name;
            return Response("503 Service Unavailable", Encoding.UTF8.GetBytes($"{id}: {exception.Message}\n"), withBody);
        }
    }

    private static byte[] Response(string status, ReadOnlySpan<byte> body, bool withBody, string headers = "", string contentType = "text/plain; charset=utf-8")
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\nContent-Length: {body.Length}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n{headers}\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. withBody ? body : []];
    }

    private static IPAddress Parse(string address) =>
        string.Equals(address, "localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(address, out var parsed) ? parsed
        : throw BackupException.InvalidArgument(
            "Address", $"'{address}' is not an IP address. Give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them.");

    private static BackupException Failed(string address, int port, SocketException exception)
    {
        var (reason, category) = exception.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => ("another process listens there. Give another -Port, or stop that process", BackupErrorCategory.ResourceBusy),
            SocketError.AccessDenied => ("this account may not listen there. Give a free -Port above 1023", BackupErrorCategory.PermissionDenied),
            SocketError.AddressNotAvailable =>
                ("this machine does not have that address. Give one of its own with -Address", BackupErrorCategory.InvalidArgument),
            _ => ($"{exception.Message.TrimEnd('.')}. Give another -Address or -Port", BackupErrorCategory.ConnectionError),
        };
        return new BackupException(
            BackupErrorId.MetricServerFailed,
            category,
            string.Create(CultureInfo.InvariantCulture, $"{address}:{port}"),
            string.Create(CultureInfo.InvariantCulture, $"The metrics cannot be served at {address}, port {port}: {reason}."),
            exception);
    }
}
