using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption.Age;

namespace SignalHarvester.Backup.Encryption;

/// <summary>The encryption of backups: public keys, without their secret halves, or a passphrase.</summary>
public sealed class BackupEncryption
{
    private static readonly Lazy<string?> NoCipherReason = new(WhyNoCipher);

    private readonly IReadOnlyList<IAgeRecipient> recipients;

    internal BackupEncryption(IReadOnlyList<IAgeRecipient> recipients) => this.recipients = recipients;

    /// <summary>The public keys; empty for a passphrase.</summary>
    public IReadOnlyList<string> PublicKeys => [.. recipients.OfType<X25519Recipient>().Select(recipient => recipient.Text)];

    /// <summary>Encrypts to public keys.</summary>
    /// <param name="publicKeys">age public keys: <c>age1…</c>. At least one.</param>
    /// <exception cref="BackupException">RecipientInvalid, EncryptionUnavailable.</exception>
    public static BackupEncryption To(IEnumerable<string> publicKeys)
    {
        ArgumentNullException.ThrowIfNull(publicKeys);
        RequireCipher();
        return new BackupEncryption([.. publicKeys.Distinct(StringComparer.Ordinal).Select(Parse)]);
    }

    /// <summary>Encrypts with a passphrase.</summary>
    /// <exception cref="BackupException">RecipientInvalid: it is empty; EncryptionUnavailable.</exception>
    public static BackupEncryption With(ReadOnlySpan<char> passphrase)
    {
        RequireCipher();
        return passphrase.IsEmpty
            ? throw new BackupException(
                BackupErrorId.RecipientInvalid, "Passphrase", "The passphrase is empty. Give one that nobody can guess, such as six random words.")
            : new BackupEncryption([Passphrase.Of(passphrase)]);
    }

    /// <summary>Makes the header of a new file.</summary>
    internal AgeHeader NewHeader(AgeFileKey key) => AgeHeader.Create(key, recipients);

    /// <summary>
    /// Fails if this system has no ChaCha20-Poly1305, before anything is written or opened. It tries the cipher, because a
    /// system in FIPS mode reports it but forbids its use.
    /// </summary>
    internal static void RequireCipher()
    {
        if (NoCipherReason.Value is { } reason)
        {
            throw new BackupException(
                BackupErrorId.EncryptionUnavailable, Environment.OSVersion.VersionString,
                $"This system cannot use ChaCha20-Poly1305, which age files need, so nothing was written: {reason}. Windows has it since 10 20H1 and Server 2022, Linux with OpenSSL 1.1.1 or later; no system has it in FIPS mode.");
        }
    }

    private static string? WhyNoCipher()
    {
        if (!ChaCha20Poly1305.IsSupported)
        {
            return "it does not have it";
        }

        try
        {
            _ = KeyWrap.Wrap(new byte[32], AgeFileKey.Create());
            return null;
        }
        catch (CryptographicException exception)
        {
            return exception.Message.TrimEnd('.');
        }
    }

    private static X25519Recipient Parse(string text) => X25519Recipient.TryParse(text) ?? throw new BackupException(
        BackupErrorId.RecipientInvalid,
        IdentityLooksSecret(text) ? "Recipient" : text,
        IdentityLooksSecret(text)
            ? "A secret key was given as a recipient. It is not shown here; remove it from your shell's history. Give its public key, which begins with age1: New-SHBackupKey and age-keygen show it."
            : $"'{text}' is not an age public key, or was mistyped. Give one as New-SHBackupKey and age-keygen show it: it begins with age1 and has 62 characters.");

    private static bool IdentityLooksSecret(string text) => text.Contains("SECRET", StringComparison.OrdinalIgnoreCase);
}
