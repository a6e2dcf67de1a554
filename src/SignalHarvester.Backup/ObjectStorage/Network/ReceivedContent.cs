namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>The body of a response, read through a <see cref="PacedStream"/>, either as a stream or into a buffer. The watch ends with it.</summary>
internal sealed class ReceivedContent : StreamContent
{
    private readonly HttpContent inner;
    private readonly IdleWatch watch;

    private ReceivedContent(HttpContent inner, IdleWatch watch, PacedStream stream)
        : base(stream)
    {
        this.inner = inner;
        this.watch = watch;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            _ = Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>Wraps a body.</summary>
    /// <param name="inner">The body.</param>
    /// <param name="watch">Notes every byte.</param>
    /// <param name="limiter">Limits the bytes; null for no limit.</param>
    public static async Task<ReceivedContent> OpenAsync(HttpContent inner, IdleWatch watch, BandwidthLimiter? limiter) =>
        new(inner, watch, new PacedStream(await inner.ReadAsStreamAsync(watch.Token).ConfigureAwait(false), watch, limiter));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            inner.Dispose();
            watch.Dispose();
        }
    }
}
