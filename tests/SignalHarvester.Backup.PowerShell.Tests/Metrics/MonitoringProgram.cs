using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Metrics;

/// <summary>A server of the Prometheus family, as a child process at a port of its own.</summary>
internal sealed class MonitoringProgram : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Client = new();

    private readonly Process process;
    private readonly Task<string> error;

    /// <summary>Starts it; skips the test, visibly, if it is not installed.</summary>
    /// <param name="tool">The program.</param>
    /// <param name="arguments">Its arguments; <c>{port}</c> stands for the port.</param>
    public MonitoringProgram(string tool, params string[] arguments)
    {
        _ = Tool.Require(tool);
        Port = FreePort();
        var start = new ProcessStartInfo(Tool.Find(tool)!, arguments.Select(argument => argument.Replace("{port}", $"{Port}", StringComparison.Ordinal)))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        process = Process.Start(start)!;
        error = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Its port on this machine.</summary>
    public int Port { get; }

    /// <summary>Its address.</summary>
    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>Asks until it gets the wanted answer, and fails the test, with the program's own words, if it never does.</summary>
    /// <param name="path">The path of the question.</param>
    /// <param name="wished">Recognises the wanted answer.</param>
    public async Task<string> UntilAsync(string path, Predicate<string> wished)
    {
        var started = Stopwatch.GetTimestamp();
        var last = "nothing yet";
        while (Stopwatch.GetElapsedTime(started) < Patience && !process.HasExited)
        {
            try
            {
                last = await Client.GetStringAsync(new Uri(Url + path), TestContext.Current.CancellationToken);
                if (wished(last))
                {
                    return last;
                }
            }
            catch (HttpRequestException exception)
            {
                last = exception.Message;
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        process.Kill();
        Assert.Fail($"{process.StartInfo.FileName} answers {path} with: {last}\n{await error}");
        return last;
    }

    /// <summary>Returns a port on which nobody listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }
}
