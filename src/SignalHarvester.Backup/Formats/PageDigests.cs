using System.Security.Cryptography;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Sixteen bytes of SHA-256 for every page: what the next incremental backup finds changed pages by.
/// </summary>
internal static class PageDigests
{
    /// <summary>Bytes in one digest: 128 bits, so that two different pages are never taken for the same.</summary>
    public const int Size = 16;

    /// <summary>Makes a worker that digests the pages of a chunk, then lets another transform it.</summary>
    public static IChunkWorker Worker(int pageSize, IChunkWorker next) => new DigestWorker(pageSize, next);

    private sealed class DigestWorker(int pageSize, IChunkWorker next) : IChunkWorker
    {
        private readonly byte[] sha256 = new byte[SHA256.HashSizeInBytes];

        public void Transform(Chunk chunk)
        {
            var pages = chunk.PlainLength / pageSize;
            if (chunk.PageDigests.Length < Chunk.ImageBytes / pageSize * Size)
            {
                chunk.PageDigests = new byte[Chunk.ImageBytes / pageSize * Size];
            }

            for (var page = 0; page < pages; page++)
            {
                SHA256.HashData(chunk.Plain.AsSpan(page * pageSize, pageSize), sha256);
                sha256.AsSpan(0, Size).CopyTo(chunk.PageDigests.AsSpan(page * Size));
            }

            next.Transform(chunk);
        }

        public void Dispose() => next.Dispose();
    }
}
