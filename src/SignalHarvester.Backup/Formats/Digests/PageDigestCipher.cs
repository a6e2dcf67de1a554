using System.Security.Cryptography;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats.Digests;

/// <summary>
/// Keys the page digests of encrypted backups with a random key that stays on this machine, outside the backup directory:
/// whoever takes the directory away must not be able to try out what a page may hold.
/// </summary>
/// <remarks>
/// A digest is as long as a block of AES, so one encryption of one block is a keyed digest, which the key's holder can turn
/// back into the plain one: the checksum in the sidecar is over those. Equal pages keep equal digests under any keyed
/// digest, so the mode without chaining gives away no more than another would, and keeps each in its place.
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

    /// <summary>Opens the machine's key; null if there is no readable one.</summary>
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
            // A cache that cannot be read is computed anew.
            return null;
        }
    }

    /// <summary>Opens the machine's key, and makes it where there is none.</summary>
    /// <param name="explain">Receives the reason why no key can be kept, without a
    /// full stop; the digests are then useless, and the next backup is full.</param>
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

    /// <summary>Keys digests.</summary>
    public void Encrypt(ReadOnlySpan<byte> digests, Span<byte> keyed) => _ = aes.EncryptEcb(digests, keyed, PaddingMode.None);

    /// <summary>Turns keyed digests back, in their place.</summary>
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
            // Another run was first: its key is the one.
        }
    }
}
