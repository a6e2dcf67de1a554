using System.Globalization;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>A frame at which reading can go on, if the log still has it.</summary>
/// <param name="Salts">The log's two salts, in the file's byte order.</param>
/// <param name="Frame">The frame, from 1.</param>
/// <param name="Checksum">The running checksum up to it.</param>
internal readonly record struct LogPlace(ulong Salts, uint Frame, (uint S0, uint S1) Checksum)
{
    /// <summary>The end of a log; null if it has no frames.</summary>
    public static LogPlace? Of(WalIndexHeader end) => end.MaxFrame == 0 ? null : new LogPlace(end.Salts, end.MaxFrame, end.FrameChecksum);

    /// <summary>Reads the form in which sidecars record it.</summary>
    /// <exception cref="FormatException">It is not in that form.</exception>
    public static LogPlace Of(WalPosition position) => new(
        BitConverter.ToUInt64(Convert.FromHexString(position.Salts)),
        checked((uint)position.Frame),
        (Half(position.Checksum, 0), Half(position.Checksum, 8)));

    /// <summary>Returns the form in which sidecars record it.</summary>
    public WalPosition ToPosition() => new(Convert.ToHexStringLower(BitConverter.GetBytes(Salts)), Frame, WalIndexHeader.Hex(Checksum));

    private static uint Half(string checksum, int start) => uint.Parse(checksum.AsSpan(start, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
