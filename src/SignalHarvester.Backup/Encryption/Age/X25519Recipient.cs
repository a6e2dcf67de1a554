using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>An age public key: <c>age1…</c>.</summary>
internal sealed class X25519Recipient : IAgeRecipient
{
    /// <summary>The kind of its stanzas.</summary>
    public const string StanzaType = "X25519";

    private const string Prefix = "age";

    private readonly byte[] publicKey;

    /// <summary>Takes a public key of 32 bytes.</summary>
    public X25519Recipient(byte[] publicKey)
    {
        this.publicKey = publicKey;
        Text = Bech32.Encode(Prefix, publicKey);
    }

    /// <summary>The key in its text form.</summary>
    public string Text { get; }

    /// <summary>Reads a key in its text form; null if it is not one.</summary>
    public static X25519Recipient? TryParse(string text) =>
        !text.Any(char.IsUpper) && Bech32.TryDecode(Prefix, text) is { Length: X25519.PointSize } key ? new X25519Recipient(key) : null;

    /// <inheritdoc/>
    public AgeStanza Wrap(AgeFileKey key)
    {
        var secret = RandomNumberGenerator.GetBytes(X25519.ScalarSize);
        var share = new byte[X25519.PointSize];
        X25519.ScalarMultBase(secret, 0, share, 0);
        var agreed = new byte[X25519.PointSize];
        if (!X25519.CalculateAgreement(secret, 0, publicKey, 0, agreed, 0))
        {
            throw new BackupException(
                BackupErrorId.RecipientInvalid, Text,
                $"'{Text}' is an insecure public key (a point of low order). Make a new one with New-SHBackupKey or age-keygen.");
        }

        return new AgeStanza(StanzaType, [AgeBase64.Encode(share)], KeyWrap.Wrap(WrappingKey(agreed, share, publicKey), key));
    }

    /// <summary>Derives the key that wraps a file's key.</summary>
    /// <param name="agreed">The secret that both sides computed.</param>
    /// <param name="share">The public half of the key made for this stanza.</param>
    /// <param name="publicKey">The recipient's public key.</param>
    public static byte[] WrappingKey(byte[] agreed, byte[] share, byte[] publicKey) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, agreed, 32, [.. share, .. publicKey], "age-encryption.org/v1/X25519"u8.ToArray());
}
