using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

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

    /// <summary>The number of frames that a checkpoint has copied to the database file.</summary>
    public uint Backfilled => Volatile.Read(ref *(uint*)(index + BackfillOffset));

    /// <summary>
    /// Returns the number of frames that a checkpoint has copied, with the salts of their log: for each page, the last one of them is in the database file,
    /// or a later one is in the log, and so in every snapshot that is taken from now on. Null if somebody changes the log at this moment.
    /// </summary>
    public (ulong Salts, uint Frames)? Copied()
    {
        // Who begins the log anew writes the header first, with no frames.
        var before = TryRead();
        var frames = Backfilled;
        var after = TryRead();
        return before is not null && after?.Salts == before.Salts && frames <= before.MaxFrame ? (before.Salts, frames) : null;
    }

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
        return stored[0] == s0 && stored[1] == s1 ? WalIndexHeader.Read(header) : null;
    }
}
