using System.Buffers;

namespace SignalHarvester.Backup.Formats;

/// <summary>Numbers in LEB128: seven bits a byte, the lowest first (https://en.wikipedia.org/wiki/LEB128).</summary>
internal static class Leb128
{
    /// <summary>The most bytes that a number takes.</summary>
    public const int MostBytes = 10;

    private const int More = 0x80;
    private const int Bits = 7;

    /// <summary>Appends a number.</summary>
    public static void Write(IBufferWriter<byte> target, ulong number)
    {
        var bytes = target.GetSpan(MostBytes);
        var count = 0;
        do
        {
            bytes[count++] = (byte)((number & (More - 1)) | (number < More ? 0UL : More));
            number >>= Bits;
        }
        while (number > 0);
        target.Advance(count);
    }

    /// <summary>Reads a number, and moves the bytes on to what follows it.</summary>
    /// <returns>False if the bytes end before it does, or it does not fit into 64 bits.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> bytes, out ulong number)
    {
        number = 0;
        for (var index = 0; index < bytes.Length && index < MostBytes; index++)
        {
            var part = (ulong)(bytes[index] & (More - 1));
            if (index == MostBytes - 1 && part > 1)
            {
                return false;
            }

            number |= part << (Bits * index);
            if (bytes[index] < More)
            {
                bytes = bytes[(index + 1)..];
                return true;
            }
        }

        return false;
    }
}
