using System.Collections.Concurrent;
using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption.Age;

namespace SignalHarvester.Backup.Encryption;

/// <summary>The secrets with which an operation may open encrypted backups: from identity files, a passphrase, or none.</summary>
public sealed class IdentityRing
{
    private readonly IReadOnlyList<IAgeIdentity> identities;

    // A passphrase costs a second and 256 MiB each time, and an operation opens a backup's file more than once.
    private readonly ConcurrentDictionary<string, AgeFileKey> opened;

    private IdentityRing(IReadOnlyList<IAgeIdentity> identities, IEnumerable<KeyValuePair<string, AgeFileKey>>? opened = null)
    {
        this.identities = identities;
        this.opened = new ConcurrentDictionary<string, AgeFileKey>(opened ?? [], StringComparer.Ordinal);
    }

    /// <summary>No secret at all.</summary>
    public static IdentityRing Empty { get; } = new([]);

    /// <summary>Whether there is no secret.</summary>
    public bool IsEmpty => identities.Count == 0;

    /// <summary>Adds the secret keys of a file, as New-SHBackupKey and age-keygen write it.</summary>
    /// <param name="path">The file's full path. It may be a pipe.</param>
    /// <param name="cancellation">Ends the wait for the writer of a pipe.</param>
    /// <exception cref="BackupException">IdentityInvalid.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public IdentityRing WithFile(string path, CancellationToken cancellation) => new([.. identities, .. IdentityFile.Read(path, cancellation)]);

    /// <summary>Adds a passphrase.</summary>
    /// <param name="passphrase">The passphrase.</param>
    public IdentityRing WithPassphrase(ReadOnlySpan<char> passphrase) => new([.. identities, Passphrase.Of(passphrase)]);

    /// <summary>Returns the encryption to the holders of these secrets; null if there are none.</summary>
    internal BackupEncryption? ToEncryption()
    {
        // A passphrase cannot share a file with other recipients, so keys, which others may hold as well, come first.
        List<IAgeRecipient> keys = [.. identities.OfType<X25519Identity>().Select(identity => identity.PublicKey)];
        return keys.Count > 0 ? new BackupEncryption(keys)
            : identities.OfType<Passphrase>().FirstOrDefault() is { } passphrase ? new BackupEncryption([passphrase])
            : null;
    }

    /// <summary>Whether one of these secrets opens content with this header.</summary>
    internal bool Opens(BackupEncryption encryption) =>
        Opens(encryption.PublicKeys)
        || (encryption.PublicKeys.Count == 0 && identities.OfType<Passphrase>().Any());

    /// <summary>Whether one of these secrets belongs to one of these public keys.</summary>
    internal bool Opens(IReadOnlyList<string> publicKeys) =>
        identities.OfType<X25519Identity>().Any(identity => publicKeys.Contains(identity.PublicKey.Text, StringComparer.Ordinal));

    /// <summary>Adds the key of a file that this run has just made.</summary>
    internal IdentityRing With(AgeFileKey key) => new([new KnownFileKey(key), .. identities], opened);

    /// <summary>Finds the key of a file.</summary>
    /// <param name="header">The file's header.</param>
    /// <param name="name">The backup, for messages.</param>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong, EncryptionUnavailable.</exception>
    /// <exception cref="InvalidDataException">The header was changed or is not in its form.</exception>
    internal AgeFileKey Open(AgeHeader header, string name)
    {
        var known = Convert.ToHexString(SHA256.HashData(header.Bytes));
        if (opened.TryGetValue(known, out var key))
        {
            return key;
        }

        if (!IsEmpty)
        {
            BackupEncryption.RequireCipher();
        }

        key = identities.Select(identity => identity.TryUnwrap(header)).FirstOrDefault(found => found is not null) ?? throw CannotOpen(header, name);
        header.Authenticate(key);
        return opened.GetOrAdd(known, key);
    }

    private BackupException CannotOpen(AgeHeader header, string name)
    {
        var needed = header.IsForPassphrase ? "-Passphrase" : "-IdentityFile";
        return IsEmpty
            ? new BackupException(
                BackupErrorId.IdentityMissing, name,
                $"'{name}' is encrypted, and no key or passphrase was given. Give {(header.IsForPassphrase ? "the passphrase" : "the file with the secret key")} with {needed}; a key's file can also be configured (app.backup.encryption.identity_file).")
            : new BackupException(
                BackupErrorId.IdentityWrong, name,
                $"'{name}' is encrypted, and {(header.IsForPassphrase ? "the passphrase is wrong or missing" : "none of the given secret keys opens it")}. Give the right one with {needed}; Get-SHBackup shows the public keys of a backup as its Recipients. If the key is right, the beginning of the file is damaged: check it with Test-SHBackup -Level Quick.");
    }
}
