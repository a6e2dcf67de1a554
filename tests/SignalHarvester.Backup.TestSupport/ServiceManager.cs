using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>A service manager's end of the socket that NOTIFY_SOCKET names: it takes all messages, and a test asks for them one after another.</summary>
public sealed class ServiceManager : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly BlockingCollection<string> received = [];

    /// <param name="path">The socket, which is made.</param>
    public ServiceManager(string path)
    {
        socket.Bind(new UnixDomainSocketEndPoint(path));

        // As a manager does: the queue of such a socket holds ten messages.
        new Thread(Receive) { IsBackground = true }.Start();
    }

    /// <summary>Returns the messages up to and including one.</summary>
    public List<string> Until(string wanted) => Until(wanted, messages => messages[^1] == wanted);

    /// <summary>Returns the messages up to a moment at which one kind has come for the last so many times without another one in between.</summary>
    /// <param name="count">How many.</param>
    /// <param name="beginning">What the messages of that kind begin with.</param>
    /// <param name="without">The message that must not come in between.</param>
    public List<string> Until(int count, string beginning, string without) => Until(
        $"{count} x {beginning} without {without}",
        messages => messages.Skip(messages.LastIndexOf(without) + 1).Count(message => message.StartsWith(beginning, StringComparison.Ordinal)) >= count);

    public void Dispose() => socket.Dispose();

    private List<string> Until(string what, Predicate<List<string>> isComplete)
    {
        var messages = new List<string>();
        var began = Stopwatch.GetTimestamp();
        do
        {
            Assert.True(
                received.TryTake(out var message, Hang) && Stopwatch.GetElapsedTime(began) < Hang,
                $"'{what}' did not come, but: {string.Join(", ", messages)}");
            messages.Add(message);
        }
        while (!isComplete(messages));
        return messages;
    }

    private void Receive()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                received.Add(Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }
}
