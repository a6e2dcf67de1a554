using System.Security.Cryptography;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats.Digests;

/// <summary>
/// Encrypts the page digests of encrypted backups with a random key that stays on this machine, outside the backup directory:
/// somebody who takes the directory away must not be able to test guesses about a page's content.
/// </summary>
/// <remarks>
/// A digest has the length of an AES block, so encrypting it as one block makes a keyed digest. The key's holder can turn it
/// back into the plain one, over which the sidecar's checksum is computed. Equal pages have equal digests under any keyed
/// digest, so a mode without chaining reveals no more than another one would, and each digest keeps its place.
/// </remarks>
internal sealed class PageDigestCipher : IDisposable
{
    private const int KeySize = 32;

    private readonly Aes aes;

    private PageDigestCipher(byte[] key)
    {
        aes = Aes.Create();
        aes.Key = key;
    }

    private static string KeyPath => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "SignalHarvester.Backup",
        "page-digests.key");

    /// <summary>Opens the machine's key; null if there is no readable key.</summary>
    public static PageDigestCipher? TryOpen()
    {
        try
        {
            return Path.IsPathFullyQualified(KeyPath) && RegularFile.ReadAllBytes(KeyPath, KeySize) is { Length: KeySize } key
                ? new PageDigestCipher(key)
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // An unreadable cache is computed again.
            return null;
        }
    }

    /// <summary>Opens the machine's key, and makes it if there is none.</summary>
    /// <param name="explain">Receives the reason why no key can be kept, without a full stop. The digests are then useless, and
    /// the next backup is full.</param>
    public static PageDigestCipher OpenOrCreate(Action<string> explain)
    {
        try
        {
            if (TryOpen() is { } found)
            {
                return found;
            }

            Create();
            return TryOpen() ?? throw new IOException("the file there is not a key");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            explain(
                $"their key cannot be kept in '{KeyPath}' ({exception.Message.TrimEnd('.')}): set HOME or XDG_DATA_HOME to a permanent folder of this account");
            return new PageDigestCipher(RandomNumberGenerator.GetBytes(KeySize));
        }
    }

    /// <summary>Encrypts digests.</summary>
    public void Encrypt(ReadOnlySpan<byte> digests, Span<byte> keyed) => _ = aes.EncryptEcb(digests, keyed, PaddingMode.None);

    /// <summary>Decrypts digests in place.</summary>
    public void Decrypt(Span<byte> digests)
    {
        var whole = digests[..(digests.Length / PageDigests.Size * PageDigests.Size)];
        _ = aes.DecryptEcb(whole, whole, PaddingMode.None);
    }

    /// <inheritdoc/>
    public void Dispose() => aes.Dispose();

    private static void Create()
    {
        if (!Path.IsPathFullyQualified(KeyPath))
        {
            throw new IOException("this account has no home directory");
        }

        using var place = NamedPlace.Find(KeyPath, missing: MissingFolders.MakePrivate);
        try
        {
            DurableFile.WriteNew(place.Folder, place.Name, RandomNumberGenerator.GetBytes(KeySize));
        }
        catch (IOException) when (File.Exists(KeyPath))
        {
            // Another run was first, and its key counts.
        }
    }
}
