using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// The pages taken from the increments of a chain, each once, until they are laid over the full backup. They wait in a file,
/// one after another, in the order in which they came.
/// </summary>
/// <remarks>
/// In a sparse file, each page at its own place would cost twice as much: a system call and a page of the file cache for
/// every 4 KiB.
/// </remarks>
internal sealed class TakenPages : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly int pageSize;
    private readonly SafeFileHandle file;
    private readonly ImageFile pages;
    private readonly PagePositions positions;
    private readonly byte[] buffer = new byte[BufferBytes];
    private int filled;
    private uint count;

    /// <summary>Makes the files.</summary>
    /// <param name="folder">A private folder.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="pageCount">Pages of the image; higher pages are not taken.</param>
    /// <exception cref="IOException">They cannot be made.</exception>
    public TakenPages(string folder, int pageSize, long pageCount)
    {
        this.pageSize = pageSize;
        positions = new PagePositions(Path.Combine(folder, "positions"), pageCount);
        file = File.OpenHandle(Path.Combine(folder, "increments"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        pages = new ImageFile(file, flush: null);
    }

    /// <summary>Takes a page, unless it was taken before. Only one thread at a time may call it.</summary>
    public void Add(long page, ReadOnlySpan<byte> content)
    {
        if (page > positions.PageCount || !positions.TryAdd(page, count + 1))
        {
            return;
        }

        if (filled + pageSize > buffer.Length)
        {
            Flush();
        }

        content.CopyTo(buffer.AsSpan(filled));
        filled += pageSize;
        count++;
    }

    /// <summary>Ends the taking. Afterwards pages are only overlaid.</summary>
    public void Complete() => Flush();

    /// <summary>Lays the taken pages over a piece of the image. Several threads may do so at once.</summary>
    /// <param name="bytes">The piece. It need not begin or end with a page.</param>
    /// <param name="offset">Where in the image it begins.</param>
    public void Overlay(Span<byte> bytes, long offset)
    {
        var length = bytes.Length;
        for (var start = 0; start < length;)
        {
            var page = ((offset + start) / pageSize) + 1;
            var into = (int)((offset + start) % pageSize);
            var position = positions[page];
            var end = EndOf(page);
            if (position != 0)
            {
                // Adjacent pages are read at once.
                for (var next = 1U; end < length && positions[page + next] == position + next; next++)
                {
                    end = EndOf(page + next);
                }

                pages.Read(bytes[start..end], ((position - 1L) * pageSize) + into);
            }

            start = end;
        }

        int EndOf(long page) => (int)Math.Min((page * pageSize) - offset, length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        positions.Dispose();
    }

    private void Flush()
    {
        pages.Write(buffer.AsSpan(0, filled), (count * (long)pageSize) - filled);
        filled = 0;
    }
}
