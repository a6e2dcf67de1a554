using System.Net;
using System.Net.Sockets;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>Relays connections to a server, and flips one bit in every run of bytes that is looked for on its way there.</summary>
public sealed class TamperingRelay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Uri server;
    private readonly byte[] lookedFor;
    private readonly Task serving;

    public TamperingRelay(Uri server, byte[] lookedFor)
    {
        this.server = server;
        this.lookedFor = lookedFor;
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>The server's address by way of the relay.</summary>
    public Uri Address => new UriBuilder(server) { Port = ((IPEndPoint)listener.LocalEndpoint).Port }.Uri;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        listener.Dispose();
        stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        var relaying = new List<Task>();
        try
        {
            while (true)
            {
                relaying.Add(RelayAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(relaying);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var upstream = new TcpClient())
        {
            try
            {
                await upstream.ConnectAsync(server.Host, server.Port, stopping.Token);
                var there = TamperAsync(client.GetStream(), upstream.GetStream());
                await upstream.GetStream().CopyToAsync(client.GetStream(), stopping.Token);
                await there;
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // Either side went away, or it is over.
            }
        }
    }

    private async Task TamperAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[64 << 10];
        while (await from.ReadAsync(buffer, stopping.Token) is > 0 and var read)
        {
            var at = buffer.AsSpan(0, read).IndexOf(lookedFor);
            if (at >= 0)
            {
                buffer[at] ^= 1;
            }

            await to.WriteAsync(buffer.AsMemory(0, read), stopping.Token);
        }

        to.Socket.Shutdown(SocketShutdown.Send);
    }
}
