using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>An age secret key: <c>AGE-SECRET-KEY-1…</c>.</summary>
internal sealed class X25519Identity : IAgeIdentity
{
    private const string Prefix = "age-secret-key-";

    private readonly byte[] secret;
    private readonly byte[] publicKey = new byte[X25519.PointSize];

    private X25519Identity(byte[] secret)
    {
        this.secret = secret;
        X25519.ScalarMultBase(secret, 0, publicKey, 0);
        PublicKey = new X25519Recipient(publicKey);
    }

    /// <summary>The public half.</summary>
    public X25519Recipient PublicKey { get; }

    /// <summary>The key in the form of the file. It never appears in a message.</summary>
    public string SecretText => Bech32.Encode(Prefix, secret).ToUpperInvariant();

    /// <summary>Makes a new key.</summary>
    public static X25519Identity Create() => new(RandomNumberGenerator.GetBytes(X25519.ScalarSize));

    /// <summary>Reads a key in the form of the file; null if it is not one.</summary>
    public static X25519Identity? TryParse(string text) =>
        !text.Any(char.IsLower) && Bech32.TryDecode(Prefix, text) is { Length: X25519.ScalarSize } key ? new X25519Identity(key) : null;

    /// <inheritdoc/>
    public AgeFileKey? TryUnwrap(AgeHeader header)
    {
        AgeFileKey? found = null;
        foreach (var stanza in header.Stanzas.Where(stanza => stanza.Type == X25519Recipient.StanzaType))
        {
            if (stanza.Arguments is not [var text] || AgeBase64.TryDecode(text) is not { Length: X25519.PointSize } share || stanza.Body.Length != KeyWrap.Size)
            {
                throw AgeDamage.Of("The header's entry for a public key is malformed.");
            }

            var agreed = new byte[X25519.PointSize];
            if (!X25519.CalculateAgreement(secret, 0, share, 0, agreed, 0))
            {
                throw AgeDamage.Of("The header's entry for a public key was forged: its point has a low order.");
            }

            found ??= KeyWrap.TryUnwrap(X25519Recipient.WrappingKey(agreed, share, publicKey), stanza.Body);
        }

        return found;
    }
}
