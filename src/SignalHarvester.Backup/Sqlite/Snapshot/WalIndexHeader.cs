using System.Globalization;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// A pinned snapshot: the header of the WAL index at that moment
/// (https://sqlite.org/walformat.html#the_wal_index_header), which is in the 48 bytes of sqlite3_snapshot.
/// </summary>
/// <param name="MaxFrame">The last committed frame of the snapshot; 0 if the log holds nothing.</param>
/// <param name="PageCount">Pages of the database at the snapshot.</param>
/// <param name="FrameChecksum">The running checksum of the last frame.</param>
/// <param name="Salts">The eight bytes of the log's two salts, in the file's byte order.</param>
/// <param name="Changes">Counts the commits for as long as the index lives. Its recovery begins again at 0.</param>
internal sealed record WalIndexHeader(uint MaxFrame, uint PageCount, (uint S0, uint S1) FrameChecksum, ulong Salts, uint Changes)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 48;

    /// <summary>The place in the log where the snapshot ends; null if the log holds nothing.</summary>
    public WalPosition? Position => MaxFrame == 0
        ? null
        : new WalPosition(Convert.ToHexStringLower(BitConverter.GetBytes(Salts)), MaxFrame, Hex(FrameChecksum));

    /// <summary>Returns a running checksum as sixteen hex digits.</summary>
    public static string Hex((uint S0, uint S1) checksum) =>
        string.Create(CultureInfo.InvariantCulture, $"{checksum.S0:x8}{checksum.S1:x8}");

    /// <summary>Reads the header from a snapshot. The index is in the machine's own byte order.</summary>
    public static unsafe WalIndexHeader Read(IntPtr snapshot) => Read(new ReadOnlySpan<byte>((void*)snapshot, Size));

    /// <summary>Reads the header from its bytes.</summary>
    public static WalIndexHeader Read(ReadOnlySpan<byte> header)
    {
        var words = MemoryMarshal.Cast<byte, uint>(header);
        return new WalIndexHeader(
            MaxFrame: words[4],
            PageCount: words[5],
            FrameChecksum: (words[6], words[7]),
            Salts: MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(words[8..10])),
            Changes: words[2]);
    }
}
