using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats.Pipeline;

namespace SignalHarvester.Backup.Formats;

/// <summary>Reads stored files.</summary>
internal static class StoredFileReader
{
    /// <summary>Reads a whole stored file: one thread reads, hashes and decrypts, all cores decompress.</summary>
    /// <param name="file">The stored file.</param>
    /// <param name="identities">The secrets that may open it, if it is encrypted.</param>
    /// <param name="backup">The backup.</param>
    /// <param name="largestContent">The most bytes that the content may have; more means damage, or a decompression bomb.</param>
    /// <param name="transform">Takes each piece of content as it is decompressed, in any order, on several threads at once.</param>
    /// <param name="consume">Takes each piece of content in order, on the calling thread.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The content is damaged.</exception>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong.</exception>
    public static ReadResult Read(
        SafeFileHandle file,
        IdentityRing identities,
        BackupMetadata backup,
        long largestContent,
        Action<Chunk> transform,
        Action<Chunk> consume,
        CancellationToken cancellation)
    {
        using var stored = new StoredStream(file, identities, backup);
        using var frames = new FrameReader(stored);
        long length = 0;
        ChunkPipeline.Run(
            chunk =>
            {
                if (!frames.Read(chunk))
                {
                    return false;
                }

                chunk.PlainOffset = length;
                length += chunk.PlainLength;
                return length <= largestContent
                    ? true
                    : throw new InvalidDataException("The content is larger than recorded.");
            },
            () => new Worker(frames.MakeWorker(), transform),
            consume,
            cancellation);
        var storedChecksum = stored.Finish();
        return new ReadResult(length, stored.BytesRead, storedChecksum);
    }

    private sealed class Worker(IChunkWorker decompressor, Action<Chunk> transform) : IChunkWorker
    {
        public void Transform(Chunk chunk)
        {
            decompressor.Transform(chunk);
            transform(chunk);
        }

        public void Dispose() => decompressor.Dispose();
    }
}
