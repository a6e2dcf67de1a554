namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>Bytes in transit: a limiter holds them to its rate, and a watch notes that they move.</summary>
internal sealed class PacedStream(Stream inner, IdleWatch watch, BandwidthLimiter? limiter) : Stream
{
    private const int PieceBytes = 64 << 10;

    /// <inheritdoc/>
    public override bool CanRead => inner.CanRead;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => inner.CanWrite;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Token);
        try
        {
            var read = await inner.ReadAsync(buffer[..Math.Min(buffer.Length, PieceBytes)], linked.Token).ConfigureAwait(false);
            watch.Touch();
            await PaceAsync(read, linked.Token).ConfigureAwait(false);
            return read;
        }
        catch (OperationCanceledException exception) when (watch.HasExpired)
        {
            throw watch.Expired(exception);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Token);
        try
        {
            for (var done = 0; done < buffer.Length; done += PieceBytes)
            {
                var piece = buffer.Slice(done, Math.Min(PieceBytes, buffer.Length - done));
                await PaceAsync(piece.Length, linked.Token).ConfigureAwait(false);
                await inner.WriteAsync(piece, linked.Token).ConfigureAwait(false);
                watch.Touch();
            }
        }
        catch (OperationCanceledException exception) when (watch.HasExpired)
        {
            throw watch.Expired(exception);
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private ValueTask PaceAsync(int bytes, CancellationToken cancellation) =>
        limiter?.WaitAsync(bytes, watch, cancellation) ?? ValueTask.CompletedTask;
}
