using System.Runtime.InteropServices;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// The index of a write-ahead log as all processes see it at this moment, https://sqlite.org/walformat.html#the_wal_index_header .
/// A look takes a fraction of a microsecond and no lock.
/// </summary>
/// <param name="file">The database file of a connection that has read it. The view is of use for as long as the connection is open.</param>
internal sealed unsafe class IndexView(SqliteFile file)
{
    private const int InitializedOffset = 12;
    private const int ChecksumOffset = 40;
    private const int BackfillOffset = 96;

    private readonly byte* index = file.MapIndex();
    private readonly byte[] last = new byte[WalIndexHeader.Size];

    /// <summary>The number of frames that a checkpoint has copied to the database file.</summary>
    public uint Backfilled => Volatile.Read(ref *(uint*)(index + BackfillOffset));

    /// <summary>Returns the same view by another connection to the same file, for when this one is closed.</summary>
    public IndexView By(SqliteFile other)
    {
        var view = new IndexView(other);
        last.CopyTo(view.last);
        return view;
    }

    /// <summary>Whether it is not what it was when it was read last. To ask costs a tenth of reading it.</summary>
    public bool HasChanged => !new ReadOnlySpan<byte>(index, WalIndexHeader.Size).SequenceEqual(last);

    /// <summary>Whether another connection of this process, which has read its file, has this index, too: then the file is the same.</summary>
    public bool IsOf(SqliteFile other) => other.MapIndex() == index;

    /// <summary>Reads the header, as SQLite reads it: both copies, which must agree with each other and with their checksum.</summary>
    /// <returns>Null if they do not: somebody is writing it, or died while doing so.</returns>
    public WalIndexHeader? TryRead()
    {
        Span<byte> header = stackalloc byte[WalIndexHeader.Size];
        Span<byte> second = stackalloc byte[WalIndexHeader.Size];
        new ReadOnlySpan<byte>(index, WalIndexHeader.Size).CopyTo(header);
        file.IndexBarrier();
        new ReadOnlySpan<byte>(index + WalIndexHeader.Size, WalIndexHeader.Size).CopyTo(second);
        if (!header.SequenceEqual(second) || header[InitializedOffset] == 0)
        {
            return null;
        }

        var (s0, s1) = WalFormat.Checksum(header[..ChecksumOffset], bigEndian: !BitConverter.IsLittleEndian, default);
        var stored = MemoryMarshal.Cast<byte, uint>(header[ChecksumOffset..]);
        if (stored[0] != s0 || stored[1] != s1)
        {
            return null;
        }

        header.CopyTo(last);
        return WalIndexHeader.Read(header);
    }
}
