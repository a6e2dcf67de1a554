using System.Buffers.Binary;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>The form of an age file's content: a nonce, then pieces of 64 KiB, each encrypted and authenticated with its number.</summary>
internal static class AgePayload
{
    /// <summary>Bytes of the nonce at the beginning of the content.</summary>
    public const int NonceSize = 16;

    /// <summary>Plain bytes of every piece except the last.</summary>
    public const int PieceBytes = 64 << 10;

    /// <summary>Bytes of the code that authenticates a piece.</summary>
    public const int TagSize = 16;

    /// <summary>Writes the nonce of one piece: its number, and whether it is the last.</summary>
    public static void Number(Span<byte> nonce, long piece, bool isLast)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[3..], piece);
        nonce[11] = isLast ? (byte)1 : (byte)0;
    }
}
