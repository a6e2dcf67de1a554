using System.Net;

namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>A body of a request or a response that goes through a <see cref="PacedStream"/>.</summary>
internal sealed class PacedContent : HttpContent
{
    private readonly HttpContent inner;
    private readonly IdleWatch watch;
    private readonly BandwidthLimiter? limiter;
    private readonly bool ownsWatch;

    /// <summary>Wraps a body.</summary>
    /// <param name="inner">The body.</param>
    /// <param name="watch">Told of every byte.</param>
    /// <param name="limiter">Asked for every byte; null for no limit.</param>
    /// <param name="ownsWatch">Whether the watch ends with this body.</param>
    public PacedContent(HttpContent inner, IdleWatch watch, BandwidthLimiter? limiter, bool ownsWatch)
    {
        this.inner = inner;
        this.watch = watch;
        this.limiter = limiter;
        this.ownsWatch = ownsWatch;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            _ = Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        inner.CopyToAsync(new PacedStream(stream, watch, limiter), context, cancellationToken);

    /// <inheritdoc/>
    protected override async Task<Stream> CreateContentReadStreamAsync() =>
        new PacedStream(await inner.ReadAsStreamAsync().ConfigureAwait(false), watch, limiter);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = inner.Headers.ContentLength ?? 0;
        return inner.Headers.ContentLength is not null;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            if (ownsWatch)
            {
                watch.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
