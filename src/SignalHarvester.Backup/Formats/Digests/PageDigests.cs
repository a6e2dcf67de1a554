using System.Security.Cryptography;
using SignalHarvester.Backup.Formats.Pipeline;

namespace SignalHarvester.Backup.Formats.Digests;

/// <summary>
/// Sixteen bytes of SHA-256 for every page, by which the next incremental backup finds the changed pages.
/// </summary>
internal static class PageDigests
{
    /// <summary>Bytes in one digest: 128 bits, so that two different pages never have the same one.</summary>
    public const int Size = 16;

    /// <summary>Makes a worker that digests the pages of a chunk and then lets another worker transform it.</summary>
    public static IChunkWorker Worker(int pageSize, IChunkWorker? next) => new DigestWorker(pageSize, next);

    /// <summary>Returns the digests that the worker stored in a chunk.</summary>
    public static ReadOnlySpan<byte> Of(Chunk chunk, int pageSize) => chunk.PageDigests.AsSpan(0, chunk.PlainLength / pageSize * Size);

    /// <summary>Computes the digest of one page.</summary>
    public static void Compute(ReadOnlySpan<byte> page, Span<byte> digest)
    {
        Span<byte> sha256 = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(page, sha256);
        sha256[..Size].CopyTo(digest);
    }

    private sealed class DigestWorker(int pageSize, IChunkWorker? next) : IChunkWorker
    {
        public void Transform(Chunk chunk)
        {
            var pages = chunk.PlainLength / pageSize;
            if (chunk.PageDigests.Length < Chunk.ImageBytes / pageSize * Size)
            {
                chunk.PageDigests = new byte[Chunk.ImageBytes / pageSize * Size];
            }

            for (var page = 0; page < pages; page++)
            {
                Compute(chunk.Plain.AsSpan(page * pageSize, pageSize), chunk.PageDigests.AsSpan(page * Size, Size));
            }

            next?.Transform(chunk);
        }

        public void Dispose() => next?.Dispose();
    }
}
