using System.Runtime.InteropServices;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>
/// Writes the index of a write-ahead log as SQLite does at a commit (https://sqlite.org/walformat.html#the_wal_index_file_format): readers of all
/// processes find the frames by it, from the moment at which its header counts them. Only under the write lock.
/// </summary>
/// <param name="file">The database file of a connection that has read it.</param>
internal sealed unsafe class LogIndex(SqliteFile file)
{
    // A region has the page numbers of its frames, then the hash table. The first one begins with the header.
    private const int HeaderBytes = 136;
    private const int Slots = 8192;
    private const int EntriesOfRegion = 4096;
    private const int EntriesOfFirst = EntriesOfRegion - (HeaderBytes / sizeof(uint));
    private const int HashFactor = 383;

    private const int VersionOffset = 0;
    private const int ChangesOffset = 8;
    private const int InitializedOffset = 12;
    private const int BigEndianOffset = 13;
    private const int PageSizeOffset = 14;
    private const int LastFrameOffset = 16;
    private const int PageCountOffset = 20;
    private const int FrameChecksumOffset = 24;
    private const int SaltsOffset = 32;
    private const int ChecksumOffset = 40;
    private const uint Version = 3007000;

    /// <summary>Whether the log's checksums are in this machine's byte order.</summary>
    public bool IsNative => (file.MapIndex()[BigEndianOffset] != 0) != BitConverter.IsLittleEndian;

    /// <summary>Enters frames behind the last one that the header counts. Nobody sees them before <see cref="Publish"/>.</summary>
    /// <param name="last">The last frame that it counts.</param>
    /// <param name="pages">The pages of the frames after it, in order.</param>
    public void Enter(uint last, IEnumerable<uint> pages)
    {
        Forget(last);
        var frame = last;
        foreach (var page in pages)
        {
            frame++;
            var region = RegionOf(frame);
            var entry = region.EntryOf(frame);
            if (entry == 1)
            {
                // It may have served an earlier log.
                new Span<uint>(region.Pages, region.Count).Clear();
                new Span<ushort>(region.Table, Slots).Clear();
            }

            var slot = (int)(unchecked(page * HashFactor) % Slots);
            while (region.Table[slot] != 0)
            {
                slot = (slot + 1) % Slots;
            }

            Volatile.Write(ref region.Pages[entry - 1], page);
            Volatile.Write(ref region.Table[slot], (ushort)entry);
        }
    }

    /// <summary>Counts frames that were entered, which makes them a commit.</summary>
    /// <param name="end">The end of the log with them.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    public void Publish(WalIndexHeader end, int pageSize)
    {
        Span<byte> header = stackalloc byte[WalIndexHeader.Size];
        header.Clear();
        MemoryMarshal.Write(header[VersionOffset..], Version);
        MemoryMarshal.Write(header[ChangesOffset..], end.Changes);
        header[InitializedOffset] = 1;
        header[BigEndianOffset] = (byte)(BitConverter.IsLittleEndian ? 0 : 1);
        MemoryMarshal.Write(header[PageSizeOffset..], (ushort)((pageSize & 0xff00) | (pageSize >> 16)));
        MemoryMarshal.Write(header[LastFrameOffset..], end.MaxFrame);
        MemoryMarshal.Write(header[PageCountOffset..], end.PageCount);
        MemoryMarshal.Write(header[FrameChecksumOffset..], end.FrameChecksum.S0);
        MemoryMarshal.Write(header[(FrameChecksumOffset + sizeof(uint))..], end.FrameChecksum.S1);
        MemoryMarshal.Write(header[SaltsOffset..], end.Salts);
        var (s0, s1) = WalFormat.Checksum(header[..ChecksumOffset], bigEndian: !BitConverter.IsLittleEndian, default);
        MemoryMarshal.Write(header[ChecksumOffset..], s0);
        MemoryMarshal.Write(header[(ChecksumOffset + sizeof(uint))..], s1);

        // Readers take the first copy first, and believe it only if the second one is the same.
        var index = file.MapIndex();
        file.IndexBarrier();
        header.CopyTo(new Span<byte>(index + WalIndexHeader.Size, WalIndexHeader.Size));
        file.IndexBarrier();
        header.CopyTo(new Span<byte>(index, WalIndexHeader.Size));
    }

    /// <summary>Removes what a writer has entered and not published, in the region where the next frame comes. Later regions begin anew.</summary>
    private void Forget(uint last)
    {
        if (last == 0)
        {
            return;
        }

        var region = RegionOf(last);
        var entry = region.EntryOf(last);
        for (var slot = 0; slot < Slots; slot++)
        {
            if (region.Table[slot] > entry)
            {
                Volatile.Write(ref region.Table[slot], (ushort)0);
            }
        }

        new Span<uint>(region.Pages + entry, region.Count - entry).Clear();
    }

    private Region RegionOf(uint frame) => new(file, frame <= EntriesOfFirst ? 0 : ((frame - EntriesOfFirst - 1) / EntriesOfRegion) + 1);

    /// <summary>A part of the index: the pages of some thousand frames, and a hash table in which a page's frames are found.</summary>
    private readonly struct Region
    {
        private readonly uint before;

        public Region(SqliteFile file, uint number)
        {
            var start = file.MapIndex((int)number);
            Pages = (uint*)(start + (number == 0 ? HeaderBytes : 0));
            Table = (ushort*)(start + (EntriesOfRegion * sizeof(uint)));
            Count = number == 0 ? EntriesOfFirst : EntriesOfRegion;
            before = number == 0 ? 0 : EntriesOfFirst + ((number - 1) * EntriesOfRegion);
        }

        /// <summary>The page of each frame.</summary>
        public uint* Pages { get; }

        /// <summary>Which entry a page has; 0 in an empty slot.</summary>
        public ushort* Table { get; }

        /// <summary>The number of frames that have room.</summary>
        public int Count { get; }

        /// <summary>Which entry a frame has, from 1.</summary>
        public int EntryOf(uint frame) => (int)(frame - before);
    }
}
