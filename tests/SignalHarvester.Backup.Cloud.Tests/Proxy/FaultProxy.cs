using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>
/// A relay on the loopback between a client and a server of HTTP/1.1. It counts bytes and causes the faults that a test asks for. It
/// recognises the boundaries of messages, and does not understand their content.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<Task, bool> connections = new();
    private readonly List<Rule> rules = [];
    private readonly Uri server;
    private readonly Task accepting;
    private long bytesSent;
    private long bytesReceived;

    /// <summary>Begins to listen.</summary>
    /// <param name="server">The server's address.</param>
    public FaultProxy(Uri server)
    {
        this.server = server;
        listener.Start();
        Address = new UriBuilder(server) { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port }.Uri;
        accepting = AcceptAsync();
    }

    /// <summary>The address for clients: the server's address with another port.</summary>
    public Uri Address { get; }

    /// <summary>The bytes of requests that the proxy has read, heads included.</summary>
    public long BytesSent => Interlocked.Read(ref bytesSent);

    /// <summary>The bytes of responses that the proxy has passed on, heads included.</summary>
    public long BytesReceived => Interlocked.Read(ref bytesReceived);

    /// <summary>The requests in the order of their heads, as method and target.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The bytes per second of each connection in each direction; null for no limit.</summary>
    public int? BytesPerSecond { get; set; }

    /// <summary>The delay of each answer.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Causes a fault in the next requests.</summary>
    /// <param name="fault">The fault.</param>
    /// <param name="times">The number of requests.</param>
    /// <param name="where">Selects the requests; null for all.</param>
    public void Inject(Fault fault, int times = 1, Func<MessageHead, bool>? where = null)
    {
        lock (rules)
        {
            rules.Add(new Rule(fault, where ?? (_ => true)) { Left = times });
        }
    }

    /// <summary>Ends all faults.</summary>
    /// <returns>The number of faults that were still due.</returns>
    public long Heal()
    {
        lock (rules)
        {
            var left = rules.Sum(rule => (long)rule.Left);
            rules.Clear();
            return left;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();

        // In this order, because a listener that was stopped between two accepts does not say that it was cancelled.
        await accepting;
        listener.Stop();
        await Task.WhenAll(connections.Keys);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(stopping.Token);
                var connection = RelayAsync(client);
                connections[connection] = true;
                _ = connection.ContinueWith(done => connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var upstream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        client.NoDelay = true;
        using (client)
        {
            Task[] directions = [];
            try
            {
                await upstream.ConnectAsync(server.Host, server.Port, stop.Token);
                await using var toClient = new NetworkStream(client);
                await using var toServer = new NetworkStream(upstream);
                var exchanges = new ConcurrentQueue<(MessageHead Request, Fault? Fault)>();

                // Answers can come before the end of the request, so both directions run independently.
                directions = [SendAsync(toClient, toServer, exchanges, stop.Token), ReceiveAsync(toServer, toClient, exchanges, stop.Token)];
                await await Task.WhenAny(directions);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or DroppedException)
            {
                // One side is gone, or must believe that the other one is. Without the reset, this would look like an orderly end.
                client.Close(0);
            }

            await stop.CancelAsync();
            await Task.WhenAll(directions).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAsync(Stream client, Stream upstream, ConcurrentQueue<(MessageHead Request, Fault? Fault)> exchanges, CancellationToken stop)
    {
        var reader = new MessageReader(client);
        while (await reader.ReadHeadAsync(stop) is { } head)
        {
            Requests.Enqueue($"{head.Method} {head.Target}");
            Interlocked.Add(ref bytesSent, head.Bytes.Length);
            var fault = Choose(head);
            if (fault is { Kind: FaultKind.Answer })
            {
                await AnswerAsync(reader, client, head, fault, stop);
                return;
            }

            var relay = new Relay(upstream, this, fault is { InResponse: false } ? fault : null);
            exchanges.Enqueue((head, fault is { InResponse: true } ? fault : null));
            await relay.BeginAsync(head, stop);
            await reader.ReadBodyAsync(head, untilClosed: false, (bytes, isContent) =>
            {
                Interlocked.Add(ref bytesSent, bytes.Length);
                return relay.WriteAsync(bytes, isContent, stop);
            }, stop);
        }
    }

    private async Task ReceiveAsync(Stream upstream, Stream client, ConcurrentQueue<(MessageHead Request, Fault? Fault)> exchanges, CancellationToken stop)
    {
        var reader = new MessageReader(upstream);
        while (await reader.ReadHeadAsync(stop) is { } head)
        {
            // 100 Continue and similar statuses announce an answer and are none themselves.
            var isInterim = head.Status < 200;
            if (!exchanges.TryPeek(out var exchange))
            {
                throw new IOException("The server answers what nobody asked.");
            }

            var relay = new Relay(client, this, isInterim ? null : exchange.Fault);
            if (!isInterim)
            {
                exchanges.TryDequeue(out _);
                await Task.Delay(Delay, stop);
            }

            await relay.BeginAsync(head, stop);
            Interlocked.Add(ref bytesReceived, head.Bytes.Length);
            if (!isInterim && exchange.Request.Method != "HEAD" && head.Status is not (204 or 304))
            {
                await reader.ReadBodyAsync(head, untilClosed: true, async (bytes, isContent) =>
                {
                    await relay.WriteAsync(bytes, isContent, stop);
                    Interlocked.Add(ref bytesReceived, bytes.Length);
                }, stop);
            }
        }
    }

    private async Task AnswerAsync(MessageReader reader, Stream client, MessageHead request, Fault fault, CancellationToken stop)
    {
        if (request["Expect"] is not null)
        {
            await client.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), stop);
        }

        await reader.ReadBodyAsync(request, untilClosed: false, (bytes, _) =>
        {
            Interlocked.Add(ref bytesSent, bytes.Length);
            return Task.CompletedTask;
        }, stop);

        // The id makes it an answer of S3 to this request; the others ignore it.
        var answer = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {fault.Status} Injected\r\nx-amz-request-id: 4711\r\nContent-Length: {fault.Body.Length}\r\nConnection: close\r\n\r\n{fault.Body}");
        await client.WriteAsync(Encoding.ASCII.GetBytes(answer), stop);
        await client.FlushAsync(stop);
    }

    private Fault? Choose(MessageHead head)
    {
        lock (rules)
        {
            if (rules.Find(rule => rule.Left > 0 && rule.Where(head)) is not { } chosen)
            {
                return null;
            }

            chosen.Left--;
            return chosen.Fault;
        }
    }

    private sealed record Rule(Fault Fault, Func<MessageHead, bool> Where)
    {
        public int Left { get; set; }
    }

    private sealed class DroppedException : Exception;

    /// <summary>One message in transit in one direction, with its fault.</summary>
    private sealed class Relay(Stream to, FaultProxy proxy, Fault? fault)
    {
        private long content;

        public async Task BeginAsync(MessageHead head, CancellationToken stop)
        {
            if (fault is { Kind: not FaultKind.Corrupt, AfterBytes: 0 })
            {
                await EndAsync(stop);
            }

            await to.WriteAsync(head.Bytes, stop);
        }

        public async Task WriteAsync(ReadOnlyMemory<byte> bytes, bool isContent, CancellationToken stop)
        {
            if (!isContent || fault is null || fault.AfterBytes >= content + bytes.Length)
            {
                await PassAsync(bytes, stop);
                content += isContent ? bytes.Length : 0;
                return;
            }

            if (fault.Kind == FaultKind.Corrupt)
            {
                var copy = bytes.ToArray();
                if (fault.AfterBytes >= content)
                {
                    copy[fault.AfterBytes - content] ^= 1;
                }

                await PassAsync(copy, stop);
                content += bytes.Length;
                return;
            }

            await PassAsync(bytes[..(int)(fault.AfterBytes - content)], stop);
            await EndAsync(stop);
        }

        private async Task PassAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
        {
            await to.WriteAsync(bytes, stop);
            if (proxy.BytesPerSecond is { } limit)
            {
                await Task.Delay(TimeSpan.FromSeconds((double)bytes.Length / limit), stop);
            }
        }

        private async Task EndAsync(CancellationToken stop)
        {
            if (fault!.Kind == FaultKind.Stall)
            {
                await Task.Delay(Timeout.Infinite, stop);
            }

            throw new DroppedException();
        }
    }
}
