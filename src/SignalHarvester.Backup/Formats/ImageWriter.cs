using System.IO.Hashing;
using System.Security.Cryptography;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Formats;

/// <summary>Streams an image into a file: one thread reads and hashes, all cores compress and digest, and the caller's thread writes in order.</summary>
internal static class ImageWriter
{
    /// <summary>Writes the whole image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="target">The file.</param>
    /// <param name="digests">Takes the page digests; null if they are not needed.</param>
    /// <param name="hasSum">Whether to take the sum that reading it back is compared with.</param>
    /// <param name="compression">The codec.</param>
    /// <param name="level">Its level.</param>
    /// <param name="meter">Counts the bytes of the image.</param>
    /// <param name="cancellation">Stops the writing.</param>
    public static WrittenImage Write(
        IDatabaseImage image,
        StoredFileWriter target,
        PageDigestFile? digests,
        bool hasSum,
        CompressionType compression,
        int level,
        ProgressMeter meter,
        CancellationToken cancellation)
    {
        using var imageHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var seed = ContentSum.NewSeed();
        var sum = hasSum ? new XxHash128(seed) : null;
        using var pagesHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var table = SeekTable.For(compression);
        ChunkPipeline.Run(
            new ImageChunks(image, imageHash, sum).Read,
            () => digests is null ? Codec.Compressor(compression, level) : PageDigests.Worker(image.PageSize, Codec.Compressor(compression, level)),
            chunk =>
            {
                target.Append(chunk.StoredSpan);
                table?.Add(chunk.StoredLength, chunk.PlainLength);
                if (digests is not null)
                {
                    pagesHash.AppendData(PageDigests.Of(chunk, image.PageSize));
                    digests.Append(PageDigests.Of(chunk, image.PageSize));
                }

                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        var (storedLength, storedChecksum) = target.Finish(table);
        return new WrittenImage(image.Length, Convert.ToHexStringLower(imageHash.GetHashAndReset()), storedLength, storedChecksum)
        {
            PagesChecksum = digests is null ? null : Convert.ToHexStringLower(pagesHash.GetHashAndReset()),
            Sum = sum is null ? null : new ContentSum(seed, sum.GetCurrentHashAsUInt128()),
        };
    }
}
