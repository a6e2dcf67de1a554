using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats.Seekable;
using Xunit;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>A stored content, open for reading in any order.</summary>
internal sealed class Opened : IDisposable
{
    private static readonly BackupMetadata Any = new() { Id = "any", BackupPath = "any", BackupDirectory = "any", Compression = CompressionType.Zstd };

    private readonly FrameCache cache;

    private Opened(SeekableContent content, FrameCache cache)
    {
        Content = content;
        this.cache = cache;
    }

    public SeekableContent Content { get; }

    public static Opened Of(byte[] file) => Of(new MemoryBytes(file));

    /// <param name="file">The file.</param>
    /// <param name="cacheBytes">The size of the cache.</param>
    /// <param name="folder">Where frames go that come back again and again.</param>
    public static Opened Of(IStoredBytes file, long cacheBytes = FrameCache.DefaultBytes, string? folder = null) =>
        Until(file, cacheBytes, folder, TestContext.Current.CancellationToken);

    public static Opened Until(IStoredBytes file, long cacheBytes, string? folder, CancellationToken cancellation)
    {
        var cache = new FrameCache(cacheBytes, new UnpackedFrames([folder ?? Path.GetTempPath()]), cancellation);
        return new Opened(SeekableContent.TryOpen(file, Any, IdentityRing.Empty, cache, cancellation)!, cache);
    }

    public void Dispose()
    {
        cache.Dispose();
        Content.Dispose();
    }
}
