using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats;

/// <summary>Streams an image into a file: read and hashed by one thread, compressed and digested by all cores, written in order.</summary>
internal static class ImageWriter
{
    /// <summary>Writes the whole image. The last flush is the caller's, who may have a snapshot to let go of first.</summary>
    public static StoredImage Write(
        IDatabaseImage image,
        SafeFileHandle target,
        SteadyFlush flush,
        DiskWatch watch,
        PageDigestFile digests,
        CompressionType compression,
        int level,
        ProgressMeter meter,
        CancellationToken cancellation)
    {
        using var imageHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var storedHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long nextPage = 1;
        long storedLength = 0;
        ChunkPipeline.Run(
            () => new Chunk(Chunk.ImageBytes, storedCapacity: 0),
            chunk =>
            {
                var pages = (int)Math.Min(Chunk.ImageBytes / image.PageSize, image.PageCount - nextPage + 1);
                if (pages <= 0)
                {
                    return false;
                }

                chunk.PlainLength = pages * image.PageSize;
                image.Read(nextPage, chunk.PlainSpan);
                imageHash.AppendData(chunk.PlainSpan);
                nextPage += pages;
                return true;
            },
            () => PageDigests.Worker(image.PageSize, Codec.Compressor(compression, level)),
            chunk =>
            {
                var stored = chunk.StoredSpan;
                PieceWriter.Write(target, stored, storedLength);
                storedHash.AppendData(stored);
                storedLength += stored.Length;
                flush.Written(stored.Length);
                watch.Check();
                digests.Append(chunk.PageDigests.AsSpan(0, chunk.PlainLength / image.PageSize * PageDigests.Size));
                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        return new StoredImage(
            image.Length,
            Convert.ToHexStringLower(imageHash.GetHashAndReset()),
            storedLength,
            Convert.ToHexStringLower(storedHash.GetHashAndReset()));
    }
}
