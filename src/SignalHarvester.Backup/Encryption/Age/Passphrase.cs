using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Org.BouncyCastle.Crypto.Generators;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>A passphrase, which both encrypts and decrypts: age's <c>scrypt</c> stanza.</summary>
/// <param name="passphrase">The passphrase in UTF-8.</param>
internal sealed partial class Passphrase(byte[] passphrase) : IAgeRecipient, IAgeIdentity
{
    /// <summary>The kind of its stanzas.</summary>
    public const string StanzaType = "scrypt";

    private const int SaltSize = 16;
    private const int BlockSize = 8;

    // The same as in the age command: 256 MiB, about a second.
    private const int WorkFactor = 18;

    // 1 GiB. A forged header must not exhaust the machine on which a restore runs.
    private const int LargestWorkFactor = 20;

    /// <summary>Takes a passphrase as typed.</summary>
    public static Passphrase Of(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return new Passphrase(bytes);
    }

    /// <inheritdoc/>
    public AgeStanza Wrap(AgeFileKey key)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltSize);
        return new AgeStanza(
            StanzaType,
            [AgeBase64.Encode(salt), WorkFactor.ToString(CultureInfo.InvariantCulture)],
            KeyWrap.Wrap(WrappingKey(salt, WorkFactor), key));
    }

    /// <inheritdoc/>
    public AgeFileKey? TryUnwrap(AgeHeader header)
    {
        if (!header.Stanzas.Any(stanza => stanza.Type == StanzaType))
        {
            return null;
        }

        if (header.Stanzas is not [{ Arguments: [var saltText, var factorText] } stanza]
            || AgeBase64.TryDecode(saltText) is not { Length: SaltSize } salt
            || !FactorPattern().IsMatch(factorText)
            || stanza.Body.Length != KeyWrap.Size)
        {
            throw AgeDamage.Of("The header's entry for a passphrase is malformed, or is not the only entry.");
        }

        var factor = factorText.Length <= 2 ? int.Parse(factorText, NumberStyles.None, CultureInfo.InvariantCulture) : int.MaxValue;
        if (factor > LargestWorkFactor)
        {
            throw AgeDamage.Of(string.Create(
                CultureInfo.InvariantCulture,
                $"The header asks for too much work to check the passphrase (2^{factorText[..Math.Min(factorText.Length, 9)]}; at most 2^{LargestWorkFactor} is allowed): it would exhaust this machine."));
        }

        return KeyWrap.TryUnwrap(WrappingKey(salt, factor), stanza.Body);
    }

    private byte[] WrappingKey(byte[] salt, int factor) =>
        SCrypt.Generate(passphrase, [.. "age-encryption.org/v1/scrypt"u8, .. salt], 1 << factor, BlockSize, 1, 32);

    [GeneratedRegex(@"\A[1-9][0-9]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex FactorPattern();
}
