using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Encrypts content as the pieces of an age file, one after another.</summary>
internal sealed class AgeWriter : IDisposable
{
    private readonly ChaCha20Poly1305 cipher;
    private readonly byte[] piece = new byte[AgePayload.PieceBytes];
    private byte[] encrypted = new byte[AgePayload.NonceSize];
    private int pieceUsed;
    private long number;

    /// <summary>Begins the content of a file.</summary>
    /// <param name="key">The file's key. The nonce is new each time, so a rewritten file may keep its key.</param>
    public AgeWriter(AgeFileKey key)
    {
        var nonce = RandomNumberGenerator.GetBytes(AgePayload.NonceSize);
        Nonce = nonce;
        cipher = new ChaCha20Poly1305(key.PayloadKey(nonce));
    }

    /// <summary>The beginning of the content.</summary>
    public ReadOnlyMemory<byte> Nonce { get; }

    /// <summary>Encrypts the next bytes.</summary>
    /// <returns>The bytes that can be written now, valid until the next call. Only the end shows which piece is the last.</returns>
    public ReadOnlySpan<byte> Encrypt(ReadOnlySpan<byte> content)
    {
        var length = 0;
        Reserve(((content.Length / AgePayload.PieceBytes) + 1) * (AgePayload.PieceBytes + AgePayload.TagSize));
        while (!content.IsEmpty)
        {
            if (pieceUsed == AgePayload.PieceBytes)
            {
                length += EncryptPiece(length, isLast: false);
            }

            var taken = Math.Min(content.Length, AgePayload.PieceBytes - pieceUsed);
            content[..taken].CopyTo(piece.AsSpan(pieceUsed));
            pieceUsed += taken;
            content = content[taken..];
        }

        return encrypted.AsSpan(0, length);
    }

    /// <summary>Encrypts the last piece.</summary>
    /// <returns>The end of the file.</returns>
    public ReadOnlySpan<byte> Finish()
    {
        Reserve(AgePayload.PieceBytes + AgePayload.TagSize);
        return encrypted.AsSpan(0, EncryptPiece(0, isLast: true));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(piece);
        cipher.Dispose();
    }

    private int EncryptPiece(int offset, bool isLast)
    {
        Span<byte> nonce = stackalloc byte[12];
        AgePayload.Number(nonce, number++, isLast);
        cipher.Encrypt(nonce, piece.AsSpan(0, pieceUsed), encrypted.AsSpan(offset, pieceUsed), encrypted.AsSpan(offset + pieceUsed, AgePayload.TagSize));
        var length = pieceUsed + AgePayload.TagSize;
        pieceUsed = 0;
        return length;
    }

    private void Reserve(int length)
    {
        if (encrypted.Length < length)
        {
            encrypted = GC.AllocateUninitializedArray<byte>(length);
        }
    }
}
