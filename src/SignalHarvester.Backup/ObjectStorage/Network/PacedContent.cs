using System.Net;

namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>The body of a request, written through a <see cref="PacedStream"/>.</summary>
internal sealed class PacedContent : HttpContent
{
    private readonly HttpContent inner;
    private readonly IdleWatch watch;
    private readonly BandwidthLimiter? limiter;

    /// <summary>Wraps a body.</summary>
    /// <param name="inner">The body.</param>
    /// <param name="watch">Notes every byte.</param>
    /// <param name="limiter">Limits the bytes; null for no limit.</param>
    public PacedContent(HttpContent inner, IdleWatch watch, BandwidthLimiter? limiter)
    {
        this.inner = inner;
        this.watch = watch;
        this.limiter = limiter;
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
        }

        base.Dispose(disposing);
    }
}
