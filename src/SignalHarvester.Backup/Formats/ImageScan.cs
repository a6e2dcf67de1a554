using System.Security.Cryptography;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Reads an image without storing it: all cores compute page digests and compare them with those of
/// an earlier image.
/// </summary>
/// <param name="Checksum">SHA-256 of the image, lower-case hex; null if it was not wanted.</param>
/// <param name="PagesChecksum">SHA-256 over the page digests, lower-case hex.</param>
/// <param name="Changed">The pages that are new or differ from the earlier image; never the lock-byte page.</param>
internal sealed record ImageScan(string? Checksum, string PagesChecksum, PageSet Changed)
{
    /// <summary>Scans the whole image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="options">What is wanted.</param>
    /// <param name="meter">Counts the bytes of the image.</param>
    /// <param name="cancellation">Stops the scan.</param>
    public static ImageScan Run(IDatabaseImage image, ImageScanOptions options, ProgressMeter meter, CancellationToken cancellation)
    {
        using var hash = options.HasChecksum ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        using var pagesHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var changed = new PageSet(image.PageCount);
        var lockPage = (DatabaseHeader.LockByteOffset / image.PageSize) + 1;
        var before = new byte[Chunk.ImageBytes / image.PageSize * PageDigests.Size];
        ChunkPipeline.Run(
            new ImageChunks(image, hash, sum: null).Read,
            () => PageDigests.Worker(image.PageSize, next: null),
            chunk =>
            {
                var found = PageDigests.Of(chunk, image.PageSize);
                pagesHash.AppendData(found);
                options.Digests?.Append(found);
                options.Copy?.Write(chunk.PlainSpan, chunk.PlainOffset);
                var firstPage = (chunk.PlainOffset / image.PageSize) + 1;
                var known = before.AsSpan(0, options.Earlier?.Read(firstPage, before.AsSpan(0, found.Length)) ?? 0);
                if (!found.SequenceEqual(known))
                {
                    Compare(found, known, firstPage, lockPage, changed);
                }

                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        return new ImageScan(
            hash is null ? null : Convert.ToHexStringLower(hash.GetHashAndReset()), Convert.ToHexStringLower(pagesHash.GetHashAndReset()), changed);
    }

    private static void Compare(ReadOnlySpan<byte> found, ReadOnlySpan<byte> known, long firstPage, long lockPage, PageSet changed)
    {
        for (var offset = 0; offset < found.Length; offset += PageDigests.Size)
        {
            var page = firstPage + (offset / PageDigests.Size);

            // The lock-byte page has no content, and SQLite never writes it to a log.
            if (page != lockPage
                && (offset >= known.Length || !found.Slice(offset, PageDigests.Size).SequenceEqual(known.Slice(offset, PageDigests.Size))))
            {
                changed.Add(page);
            }
        }
    }
}
