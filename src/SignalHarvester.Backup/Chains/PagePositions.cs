using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// A number for each page of an image, 0 if it has none. The numbers are in a sparse file, of which a few blocks are kept in
/// memory. Logs and images are read from page to page, so one block serves thousands of pages, and memory does not grow with
/// the image.
/// </summary>
internal sealed class PagePositions : IDisposable
{
    private const int BlockPages = 1 << 14;
    private const int MostBlocks = 64;

    private readonly Lock gate = new();
    private readonly SafeFileHandle file;
    private readonly Block?[] blocks = new Block?[MostBlocks];

    /// <summary>Makes the file.</summary>
    /// <param name="path">Its path. The file is deleted at the end.</param>
    /// <param name="pageCount">The highest page; pages count from 1.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public PagePositions(string path, long pageCount)
    {
        PageCount = pageCount;
        file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
    }

    /// <summary>The highest page that can have a number.</summary>
    public long PageCount { get; }

    /// <summary>The number of a page. Several threads may read at once.</summary>
    public uint this[long page]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(page, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(page, PageCount);
            lock (gate)
            {
                return BlockOf(page).Numbers[(page - 1) % BlockPages];
            }
        }
    }

    /// <summary>Sets the number of a page, unless it has one.</summary>
    public bool TryAdd(long page, uint number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(page, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(page, PageCount);
        lock (gate)
        {
            var block = BlockOf(page);
            ref var entry = ref block.Numbers[(page - 1) % BlockPages];
            if (entry != 0)
            {
                return false;
            }

            entry = number;
            block.IsChanged = true;
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private Block BlockOf(long page)
    {
        var index = (page - 1) / BlockPages;
        ref var held = ref blocks[index % MostBlocks];
        if (held is null)
        {
            held = new Block();
        }
        else if (held.Index == index)
        {
            return held;
        }
        else if (held.IsChanged)
        {
            RandomAccess.Write(file, held.Bytes, held.Index * held.Bytes.Length);
        }

        (held.Index, held.IsChanged) = (index, false);
        var bytes = held.Bytes;

        // Behind the written part of the file there are no positions.
        bytes[file.ReadFully(bytes, index * bytes.Length)..].Clear();
        return held;
    }

    private sealed class Block
    {
        public uint[] Numbers { get; } = new uint[BlockPages];

        public Span<byte> Bytes => MemoryMarshal.AsBytes(Numbers.AsSpan());

        public long Index { get; set; }

        public bool IsChanged { get; set; }
    }
}
