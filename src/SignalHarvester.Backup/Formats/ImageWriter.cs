using System.IO.Hashing;
using System.Security.Cryptography;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Formats;

/// <summary>Streams an image into a file: one thread reads and hashes, all cores compress and digest, and the caller's thread writes in order.</summary>
internal static class ImageWriter
{
    /// <summary>Writes the whole image.</summary>
    public static WrittenImage Write(
        IDatabaseImage image,
        StoredFileWriter target,
        PageDigestFile? digests,
        CompressionType compression,
        int level,
        ProgressMeter meter,
        CancellationToken cancellation)
    {
        using var imageHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var seed = ContentSum.NewSeed();
        var sum = new XxHash128(seed);
        using var pagesHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ChunkPipeline.Run(
            new ImageChunks(image, imageHash, sum).Read,
            () => digests is null ? Codec.Compressor(compression, level) : PageDigests.Worker(image.PageSize, Codec.Compressor(compression, level)),
            chunk =>
            {
                target.Append(chunk.StoredSpan);
                if (digests is not null)
                {
                    pagesHash.AppendData(PageDigests.Of(chunk, image.PageSize));
                    digests.Append(PageDigests.Of(chunk, image.PageSize));
                }

                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        var (storedLength, storedChecksum) = target.Finish();
        return new WrittenImage(image.Length, Convert.ToHexStringLower(imageHash.GetHashAndReset()), storedLength, storedChecksum)
        {
            PagesChecksum = digests is null ? null : Convert.ToHexStringLower(pagesHash.GetHashAndReset()),
            Sum = new ContentSum(seed, sum.GetCurrentHashAsUInt128()),
        };
    }
}
