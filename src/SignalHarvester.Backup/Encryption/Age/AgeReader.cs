using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Decrypts the content of an age file. It returns only authenticated bytes.</summary>
/// <param name="stored">The encrypted content, which follows header and nonce.</param>
/// <param name="length">Bytes in it.</param>
/// <param name="key">The key of the content.</param>
internal sealed class AgeReader(StoredBytes stored, long length, byte[] key) : IDisposable
{
    private readonly AgePieces pieces = new(key);
    private readonly byte[] encrypted = new byte[AgePayload.PieceBytes + AgePayload.TagSize];
    private readonly byte[] piece = new byte[AgePayload.PieceBytes];
    private long left = length;
    private long number;
    private int start;
    private int end;

    /// <summary>Reads the next bytes.</summary>
    /// <returns>The number of bytes; 0 only at the end.</returns>
    /// <exception cref="InvalidDataException">A piece does not authenticate: it was changed, moved, cut short, or others are missing.</exception>
    public int Read(Span<byte> buffer)
    {
        if (start == end && !Decrypt())
        {
            return 0;
        }

        var count = Math.Min(buffer.Length, end - start);
        piece.AsSpan(start, count).CopyTo(buffer);
        start += count;
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(piece);
        pieces.Dispose();
    }

    private bool Decrypt()
    {
        if (left <= 0 && number > 0)
        {
            return false;
        }

        var isLast = left <= encrypted.Length;
        var size = Fill((int)Math.Clamp(left, 0, encrypted.Length));
        left -= size;
        var plain = size - AgePayload.TagSize;

        // An empty piece is allowed only as the sole piece.
        if (plain < 0 || (plain == 0 && number > 0))
        {
            throw AgeDamage.Of("The encrypted content is cut short.");
        }

        _ = pieces.Decrypt(number, isLast, encrypted.AsSpan(0, size), piece);
        number++;
        (start, end) = (0, plain);
        return plain > 0;
    }

    private int Fill(int wanted)
    {
        var done = 0;
        while (done < wanted && stored(encrypted.AsSpan(done, wanted - done)) is var read and > 0)
        {
            done += read;
        }

        return done;
    }
}
