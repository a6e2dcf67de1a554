using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>
/// A server that one of the scripts beside this file runs, in a session of its own. The script ends the server when its standard input
/// ends: on request, or when this process is gone, however it ended.
/// </summary>
internal sealed class ServerScript : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process process;

    private ServerScript(Process process) => this.process = process;

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="script">The script's file name.</param>
    /// <param name="arguments">The script's arguments.</param>
    public static async Task<ServerScript> StartAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("setsid", ["--wait", "bash", Path.Combine(AppContext.BaseDirectory, "Servers", script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        var server = new ServerScript(Process.Start(start) ?? throw new InvalidOperationException($"{script} did not start."));
        var said = await server.process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        if (said == "ready")
        {
            return server;
        }

        said += Environment.NewLine + await server.process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await server.DisposeAsync();
        throw new InvalidOperationException(said);
    }

    /// <summary>Returns a port that is free right now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Patience);
        process.Dispose();
    }
}
