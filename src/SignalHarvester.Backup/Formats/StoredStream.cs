using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Formats;

/// <summary>A stored file, read once from front to back with its SHA-256 taken on the way, and a window to look ahead in.</summary>
internal sealed class StoredStream(SafeFileHandle file) : Stream
{
    private const int ReadBytes = 1 << 20;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    // From the pool: a chain has a file for each night.
    private byte[] window = ArrayPool<byte>.Shared.Rent(2 * ReadBytes);
    private int start;
    private int end;

    /// <summary>Bytes taken from the file so far, those that wait in the window included.</summary>
    public long BytesRead { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Looks at the next bytes without taking them; fewer than asked for at the end of the file.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (end - start < count && Fill(count))
        {
        }

        return window.AsSpan(start, Math.Min(end - start, count));
    }

    /// <summary>Takes bytes that <see cref="Peek"/> has shown.</summary>
    public void Skip(int count) => start += count;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (start == end && !Fill(1))
        {
            return 0;
        }

        var count = Math.Min(buffer.Length, end - start);
        window.AsSpan(start, count).CopyTo(buffer);
        start += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads what is left, and gives the SHA-256 of the whole file in lower-case hex.</summary>
    public string Finish()
    {
        start = end = 0;
        while (Fill(1))
        {
            start = end = 0;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is written.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
            ArrayPool<byte>.Shared.Return(window);
            window = [];
        }

        base.Dispose(disposing);
    }

    private bool Fill(int wanted)
    {
        if (window.Length - start < Math.Max(wanted, end - start + ReadBytes))
        {
            var former = window;
            window = former.Length < wanted + ReadBytes ? ArrayPool<byte>.Shared.Rent(wanted + (4 * ReadBytes)) : former;
            former.AsSpan(start, end - start).CopyTo(window);
            if (window != former)
            {
                ArrayPool<byte>.Shared.Return(former);
            }

            end -= start;
            start = 0;
        }

        var read = RandomAccess.Read(file, window.AsSpan(end, Math.Min(ReadBytes, window.Length - end)), BytesRead);
        hash.AppendData(window, end, read);
        BytesRead += read;
        end += read;
        return read > 0;
    }
}
