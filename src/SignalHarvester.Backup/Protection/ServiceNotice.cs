using System.Globalization;
using System.Net.Sockets;
using System.Text;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Tells the service manager that started this process how it is, as sd_notify does: one datagram a message, to the socket that
/// NOTIFY_SOCKET names.
/// </summary>
internal sealed class ServiceNotice : IDisposable
{
    private const string SocketVariable = "NOTIFY_SOCKET";
    private const string WatchdogVariable = "WATCHDOG_USEC";
    private const string WatchdogProcessVariable = "WATCHDOG_PID";

    private readonly Socket socket;
    private readonly UnixDomainSocketEndPoint manager;

    private ServiceNotice(string path)
    {
        socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        manager = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        WatchdogInterval = Interval();
    }

    /// <summary>Returns the way to the service manager; null if none has started this process, or it does not listen.</summary>
    public static ServiceNotice? Find() =>
        Environment.GetEnvironmentVariable(SocketVariable) is { Length: > 1 } path && path[0] is '/' or '@' && !OperatingSystem.IsWindows()
            ? new ServiceNotice(path)
            : null;

    /// <summary>The time after which the manager ends a process that does not feed its watchdog; null if it has none.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>The service does its work from now on.</summary>
    /// <returns>False if the manager could not take it, so that it must be said again.</returns>
    public bool Ready() => Send("READY=1");

    /// <summary>Says what it is doing, for people.</summary>
    public void Status(string text) => _ = Send("STATUS=" + SingleLine.Of(text));

    /// <summary>Feeds the watchdog.</summary>
    public void Feed() => _ = Send("WATCHDOG=1");

    /// <summary>The service ends.</summary>
    /// <returns>False if the manager could not take it, so that it must be said again.</returns>
    public bool Stopping() => Send("STOPPING=1");

    /// <summary>Asks for more time to start or to end, counted from now.</summary>
    public void Extend(TimeSpan time) =>
        _ = Send(string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={(long)time.TotalMicroseconds}"));

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private bool Send(string message)
    {
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(message), manager);
            return true;
        }
        catch (SocketException)
        {
            // A manager that is gone, or has a full queue for the moment, must not end the protection. The next message comes within a second.
            return false;
        }
    }

    private static TimeSpan? Interval()
    {
        var process = Environment.GetEnvironmentVariable(WatchdogProcessVariable);
        return long.TryParse(Environment.GetEnvironmentVariable(WatchdogVariable), CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            && (string.IsNullOrEmpty(process) || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
                ? TimeSpan.FromMicroseconds(microseconds)
                : null;
    }
}
