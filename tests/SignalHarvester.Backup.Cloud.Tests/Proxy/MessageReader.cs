using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>Reads one side of a connection message by message.</summary>
internal sealed class MessageReader(Stream stream)
{
    private readonly byte[] buffer = new byte[64 << 10];
    private int begin;
    private int end;

    /// <summary>Takes bytes: those of the body's content, or those around it (the sizes of chunks).</summary>
    public delegate Task Take(ReadOnlyMemory<byte> bytes, bool isContent);

    /// <summary>Reads the next head; null at the end of the connection.</summary>
    public async Task<MessageHead?> ReadHeadAsync(CancellationToken stop)
    {
        var head = new List<byte>();
        while (!EndsWith(head, "\r\n\r\n"u8))
        {
            if (!await FillAsync(stop))
            {
                return null;
            }

            head.Add(buffer[begin++]);
        }

        return new MessageHead([.. head]);
    }

    /// <summary>Reads the body of a message and passes it on as it arrives.</summary>
    public async Task ReadBodyAsync(MessageHead head, bool untilClosed, Take take, CancellationToken stop)
    {
        if (head.IsChunked)
        {
            while (await ReadLineAsync(take, stop) is var size && size != "\r\n" && size.Length > 0)
            {
                var length = long.Parse(size.Split(';')[0].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (length == 0)
                {
                    while (await ReadLineAsync(take, stop) is { Length: > 2 })
                    {
                        // A trailer.
                    }

                    return;
                }

                await ReadContentAsync(length, take, stop);
                await ReadLineAsync(take, stop);
            }
        }
        else
        {
            await ReadContentAsync(head.ContentLength ?? (untilClosed ? long.MaxValue : 0), take, stop);
        }
    }

    private async Task ReadContentAsync(long length, Take take, CancellationToken stop)
    {
        for (var left = length; left > 0 && await FillAsync(stop);)
        {
            var piece = (int)Math.Min(left, end - begin);
            await take(buffer.AsMemory(begin, piece), isContent: true);
            begin += piece;
            left -= piece;
        }
    }

    private async Task<string> ReadLineAsync(Take take, CancellationToken stop)
    {
        var line = new List<byte>();
        while (!EndsWith(line, "\r\n"u8) && await FillAsync(stop))
        {
            line.Add(buffer[begin++]);
        }

        await take(line.ToArray(), isContent: false);
        return Encoding.Latin1.GetString([.. line]);
    }

    private async Task<bool> FillAsync(CancellationToken stop)
    {
        if (begin == end)
        {
            begin = 0;
            end = await stream.ReadAsync(buffer, stop);
        }

        return end > begin;
    }

    private static bool EndsWith(List<byte> bytes, ReadOnlySpan<byte> ending) =>
        bytes.Count >= ending.Length && System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes).EndsWith(ending);
}
