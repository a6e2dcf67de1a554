using System.Security.Cryptography;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>The 128-bit key of one age file. The keys for its header and its content are derived from it.</summary>
internal sealed class AgeFileKey
{
    /// <summary>Bytes in a key.</summary>
    public const int Size = 16;

    private readonly byte[] key;

    /// <summary>Takes an unwrapped key.</summary>
    public AgeFileKey(byte[] key) => this.key = key;

    /// <summary>Makes a new key.</summary>
    public static AgeFileKey Create() => new(RandomNumberGenerator.GetBytes(Size));

    /// <summary>The key itself, for wrapping.</summary>
    public ReadOnlySpan<byte> Bytes => key;

    /// <summary>Computes the code that authenticates a header.</summary>
    public byte[] HeaderCode(ReadOnlySpan<byte> header) => HMACSHA256.HashData(Derive([], "header"u8), header);

    /// <summary>Derives the key of the content.</summary>
    /// <param name="nonce">The first 16 bytes of the content.</param>
    public byte[] PayloadKey(ReadOnlySpan<byte> nonce) => Derive(nonce, "payload"u8);

    private byte[] Derive(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info)
    {
        var derived = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt, info);
        return derived;
    }
}
