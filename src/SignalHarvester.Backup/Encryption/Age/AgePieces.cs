using System.Globalization;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Decrypts pieces of an age file's content. It returns only authenticated bytes.</summary>
/// <param name="key">The key of the content.</param>
internal sealed class AgePieces(byte[] key) : IDisposable
{
    private readonly ChaCha20Poly1305 cipher = new(key);

    /// <summary>Decrypts one piece.</summary>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="isLast">Whether it is the last piece of the file.</param>
    /// <param name="encrypted">Its stored bytes, with the code that authenticates them.</param>
    /// <param name="plain">Takes the plain bytes.</param>
    /// <returns>The number of plain bytes.</returns>
    /// <exception cref="InvalidDataException">It does not authenticate: it was changed, moved, cut short, or others are missing.</exception>
    public int Decrypt(long number, bool isLast, ReadOnlySpan<byte> encrypted, Span<byte> plain)
    {
        var length = encrypted.Length - AgePayload.TagSize;
        Span<byte> nonce = stackalloc byte[12];
        AgePayload.Number(nonce, number, isLast);
        try
        {
            cipher.Decrypt(nonce, encrypted[..length], encrypted[length..], plain[..length]);
            return length;
        }
        catch (AuthenticationTagMismatchException exception)
        {
            throw AgeDamage.Of(
                string.Create(CultureInfo.InvariantCulture, $"The encrypted content is damaged or cut short: its piece {number + 1} does not authenticate."),
                exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => cipher.Dispose();
}
