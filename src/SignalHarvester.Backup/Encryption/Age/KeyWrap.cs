using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>Wraps a file's key with another key that is used only once: ChaCha20-Poly1305 with a nonce of zeros.</summary>
internal static class KeyWrap
{
    /// <summary>Bytes of a wrapped key.</summary>
    public const int Size = AgeFileKey.Size + TagSize;

    private const int TagSize = 16;
    private const int NonceSize = 12;

    /// <summary>Wraps a key.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> wrappingKey, AgeFileKey key)
    {
        using var cipher = new ChaCha20Poly1305(wrappingKey);
        var wrapped = new byte[Size];
        cipher.Encrypt(new byte[NonceSize], key.Bytes, wrapped.AsSpan(0, AgeFileKey.Size), wrapped.AsSpan(AgeFileKey.Size));
        return wrapped;
    }

    /// <summary>Unwraps a key; null if it was wrapped with another key.</summary>
    public static AgeFileKey? TryUnwrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> wrapped)
    {
        using var cipher = new ChaCha20Poly1305(wrappingKey);
        var key = new byte[AgeFileKey.Size];
        try
        {
            cipher.Decrypt(new byte[NonceSize], wrapped[..AgeFileKey.Size], wrapped[AgeFileKey.Size..], key);
            return new AgeFileKey(key);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
