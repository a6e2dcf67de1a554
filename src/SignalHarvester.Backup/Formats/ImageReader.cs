using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Streams a stored file back: read and hashed by one thread, decompressed and handed on by all cores, hashed in order.
/// </summary>
internal static class ImageReader
{
    /// <summary>Reads the whole file.</summary>
    /// <param name="file">The stored file.</param>
    /// <param name="largestImage">Bytes that the image may have at most; more is damage, or a decompression bomb.</param>
    /// <param name="write">Takes plain bytes and their offset, in any order, on several threads at once.</param>
    /// <param name="meter">Counts plain bytes.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The content is damaged.</exception>
    public static StoredImage Read(
        SafeFileHandle file,
        long largestImage,
        Action<ReadOnlyMemory<byte>, long> write,
        ProgressMeter meter,
        CancellationToken cancellation)
    {
        using var stored = new StoredStream(file);
        using var frames = new FrameReader(stored);
        using var imageHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        ChunkPipeline.Run(
            () => new Chunk(Chunk.ImageBytes, storedCapacity: 0),
            chunk =>
            {
                if (!frames.Read(chunk))
                {
                    return false;
                }

                chunk.PlainOffset = length;
                length += chunk.PlainLength;
                return length <= largestImage
                    ? true
                    : throw new InvalidDataException("The content is larger than what was recorded.");
            },
            () => new WriteWorker(frames.MakeWorker(), write),
            chunk =>
            {
                imageHash.AppendData(chunk.PlainSpan);
                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        var storedChecksum = stored.Finish();
        return new StoredImage(length, Convert.ToHexStringLower(imageHash.GetHashAndReset()), stored.BytesRead, storedChecksum);
    }

    private sealed class WriteWorker(IChunkWorker decompressor, Action<ReadOnlyMemory<byte>, long> write) : IChunkWorker
    {
        public void Transform(Chunk chunk)
        {
            decompressor.Transform(chunk);
            write(chunk.Plain.AsMemory(0, chunk.PlainLength), chunk.PlainOffset);
        }

        public void Dispose() => decompressor.Dispose();
    }
}
