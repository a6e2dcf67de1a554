using System.Buffers;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// The content of an age file, read in any order: its pieces of 64 KiB are encrypted and authenticated one by one (the STREAM
/// construction, https://age-encryption.org/v1), so each can be opened by itself.
/// </summary>
internal sealed class DecryptedBytes : IStoredBytes
{
    private const int StoredPiece = AgePayload.PieceBytes + AgePayload.TagSize;

    private readonly IStoredBytes stored;
    private readonly byte[] key;
    private readonly long start;
    private readonly long pieces;

    private DecryptedBytes(IStoredBytes stored, byte[] key, long start)
    {
        this.stored = stored;
        this.key = key;
        this.start = start;
        var encrypted = stored.Length - start;
        pieces = Math.Max(1, (encrypted + StoredPiece - 1) / StoredPiece);
        Length = encrypted - (pieces * AgePayload.TagSize);
        var last = encrypted - ((pieces - 1) * StoredPiece);
        if (last < AgePayload.TagSize || (last == AgePayload.TagSize && pieces > 1))
        {
            throw AgeDamage.Of("The encrypted content is cut short.");
        }
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public int PieceBytes => AgePayload.PieceBytes;

    /// <inheritdoc/>
    public bool IsRemote => stored.IsRemote;

    /// <inheritdoc/>
    public bool IsAuthenticated => true;

    /// <summary>Opens the content of a stored file: decrypted if it is encrypted, else as it is.</summary>
    /// <param name="stored">The file.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <param name="backup">The backup.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong.</exception>
    /// <exception cref="InvalidDataException">The header is damaged; the content is cut short; the backup is encrypted, and the file has no header.</exception>
    public static IStoredBytes Open(IStoredBytes stored, IdentityRing identities, BackupMetadata backup, CancellationToken cancellation)
    {
        if (AgeHeader.TryRead(Beginning) is not { } header)
        {
            return backup.IsEncrypted ? throw AgeDamage.Of("The content is not encrypted, but it was when the backup was made.") : stored;
        }

        var start = header.Bytes.Length + AgePayload.NonceSize;
        if (stored.Length < start + AgePayload.TagSize)
        {
            throw AgeDamage.Of("The encrypted content is cut short.");
        }

        var opened = new DecryptedBytes(stored, identities.Open(header, backup.Id).PayloadKey(Beginning(start).AsSpan(header.Bytes.Length)), start);

        // Only the last piece says that it is the last: without a look at it, a file cut at the end of a piece would pass.
        opened.Read(Math.Max(0, opened.Length - 1), new byte[opened.Length > 0 ? 1 : 0], cancellation);
        return opened;

        byte[] Beginning(int count)
        {
            var bytes = new byte[Math.Min(count, stored.Length)];
            stored.Read(0, bytes, cancellation);
            return bytes;
        }
    }

    /// <inheritdoc/>
    public void Read(long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        if (offset < 0 || offset + buffer.Length > Length)
        {
            throw AgeDamage.Of("The encrypted content is cut short.");
        }

        var first = offset / AgePayload.PieceBytes;
        var last = Math.Max(first, (offset + buffer.Length - 1) / AgePayload.PieceBytes);
        var begin = first * StoredPiece;
        var length = (int)(Math.Min((last + 1) * StoredPiece, stored.Length - start) - begin);
        var encrypted = ArrayPool<byte>.Shared.Rent(length);
        var plain = ArrayPool<byte>.Shared.Rent(AgePayload.PieceBytes);
        try
        {
            stored.Read(start + begin, encrypted.AsMemory(0, length), cancellation);
            using var cipher = new AgePieces(key);
            for (var piece = first; piece <= last; piece++)
            {
                var from = (int)((piece - first) * StoredPiece);
                var size = cipher.Decrypt(piece, piece == pieces - 1, encrypted.AsSpan(from, Math.Min(StoredPiece, length - from)), plain);
                var inPiece = (int)Math.Max(0, offset - (piece * AgePayload.PieceBytes));
                var into = (int)Math.Max(0, (piece * AgePayload.PieceBytes) - offset);
                plain.AsSpan(inPiece, Math.Min(size - inPiece, buffer.Length - into)).CopyTo(buffer.Span[into..]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(encrypted);
            ArrayPool<byte>.Shared.Return(plain, clearArray: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => stored.Dispose();
}
