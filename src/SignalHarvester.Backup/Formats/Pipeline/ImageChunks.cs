using System.IO.Hashing;
using System.Security.Cryptography;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>Cuts an image into chunks of whole pages, from front to back, and hashes it.</summary>
/// <param name="image">The image.</param>
/// <param name="hash">Takes the image; null if nobody needs its SHA-256.</param>
/// <param name="sum">Takes the image; null if it will not be compared when it is read back.</param>
internal sealed class ImageChunks(IDatabaseImage image, IncrementalHash? hash, XxHash128? sum)
{
    private long nextPage = 1;

    /// <summary>Fills a chunk with the next pages.</summary>
    /// <returns>False at the end of the image.</returns>
    public bool Read(Chunk chunk)
    {
        var pages = (int)Math.Min(Chunk.ImageBytes / image.PageSize, image.PageCount - nextPage + 1);
        if (pages <= 0)
        {
            return false;
        }

        chunk.PlainOffset = (nextPage - 1) * image.PageSize;
        chunk.PlainLength = pages * image.PageSize;
        image.Read(nextPage, chunk.PlainSpan);
        hash?.AppendData(chunk.PlainSpan);
        sum?.Append(chunk.PlainSpan);
        nextPage += pages;
        return true;
    }
}
