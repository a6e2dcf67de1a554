using System.Collections.Concurrent;
using SignalHarvester.Backup.Formats.Seekable;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>Stored bytes in memory, which note what is read.</summary>
internal sealed class MemoryBytes(byte[] bytes, bool isRemote = false) : IStoredBytes
{
    /// <summary>The reads so far.</summary>
    public ConcurrentQueue<(long Offset, int Length)> Reads { get; } = new();

    /// <summary>Called before each read.</summary>
    public Action BeforeRead { get; init; } = () => { };

    public long Length => bytes.Length;

    public int PieceBytes => 1;

    public bool IsRemote => isRemote;

    public bool IsAuthenticated => false;

    public void Read(long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        BeforeRead();
        Reads.Enqueue((offset, buffer.Length));
        bytes.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
    }

    public void Dispose()
    {
        // Holds nothing.
    }
}
