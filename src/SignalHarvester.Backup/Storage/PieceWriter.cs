using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Writes large blocks in pieces. For megabytes at once, Linux looks for huge contiguous runs of memory to cache them in, and
/// on a machine that has been running for a while the search costs more than the copying: 1 GiB written took 2.3 s of system
/// time in blocks of 2 MiB, and 0.5 s in pieces of 128 KiB.
/// </summary>
internal static class PieceWriter
{
    private const int PieceBytes = 128 << 10;

    /// <summary>Writes a block at an offset.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> block, long offset)
    {
        for (var done = 0; done < block.Length; done += PieceBytes)
        {
            RandomAccess.Write(file, block.Slice(done, Math.Min(PieceBytes, block.Length - done)), offset + done);
        }
    }
}
