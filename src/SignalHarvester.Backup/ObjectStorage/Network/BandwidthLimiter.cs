using System.Threading.RateLimiting;

namespace SignalHarvester.Backup.ObjectStorage.Network;

/// <summary>Limits the bytes per second of all its callers together.</summary>
internal sealed class BandwidthLimiter : IDisposable
{
    private const int RefillsASecond = 20;

    private readonly TokenBucketRateLimiter bucket;
    private readonly int refill;

    /// <summary>Makes a limiter.</summary>
    /// <param name="bytesPerSecond">The limit, at least one.</param>
    public BandwidthLimiter(long bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        refill = (int)Math.Clamp(bytesPerSecond / RefillsASecond, 1, int.MaxValue);
        bucket = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            // For a slow limit, one byte at longer intervals. The shortest interval is still faster than any network.
            ReplenishmentPeriod = TimeSpan.FromSeconds(Math.Max((double)refill / bytesPerSecond, 0.001)),
            TokensPerPeriod = refill,
            TokenLimit = refill,
            QueueLimit = int.MaxValue,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
    }

    /// <summary>Waits until this many bytes may pass.</summary>
    /// <param name="bytes">The number of bytes.</param>
    /// <param name="watch">The watch, for which this wait does not count as idle; null if nobody watches.</param>
    /// <param name="cancellation">Stops the waiting.</param>
    public async ValueTask WaitAsync(int bytes, IdleWatch? watch, CancellationToken cancellation)
    {
        for (var left = bytes; left > 0;)
        {
            var piece = Math.Min(left, refill);
            using var lease = await bucket.AcquireAsync(piece, cancellation).ConfigureAwait(false);
            left -= piece;
            watch?.Touch();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => bucket.Dispose();
}
