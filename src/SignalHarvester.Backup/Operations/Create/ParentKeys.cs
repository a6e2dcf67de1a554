using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>
/// Checks who can open the chain below a new backup. The same secrets must open the whole chain: otherwise a backup that looks
/// restorable would need a key that its makers may not have.
/// </summary>
internal static class ParentKeys
{
    /// <summary>Returns why a backup cannot build on a chain; null if the whole chain has the same encryption as the backup.</summary>
    /// <param name="chain">The chain, the full backup first.</param>
    /// <param name="wanted">The encryption of the backup; null for a plain one.</param>
    /// <param name="identities">The secrets. A passphrase counts as the same one if it opens the chain.</param>
    /// <returns>The reason, as the rest of a sentence after the id of the chain's last backup.</returns>
    /// <exception cref="BackupException">BackupFileMissing, ReadFailed, SidecarHostile.</exception>
    public static string? WhyOthers(IReadOnlyList<BackupMetadata> chain, BackupEncryption? wanted, IdentityRing identities)
    {
        foreach (var link in chain.Reverse())
        {
            if (WhyOther(link, wanted, identities) is { } reason)
            {
                return link == chain[^1] ? reason : $"builds on '{link.Id}', which {reason}";
            }
        }

        return null;
    }

    private static string? WhyOther(BackupMetadata link, BackupEncryption? wanted, IdentityRing identities)
    {
        var isSame = link.IsEncrypted == wanted is not null
            && (wanted is null || wanted.PublicKeys.ToHashSet(StringComparer.Ordinal).SetEquals(link.Recipients));
        return !isSame
            ? $"is {Described(link.IsEncrypted, link.Recipients)}, and the new backup {(wanted is null ? "will not be" : "will be " + Described(true, wanted.PublicKeys))}"
            : wanted is { PublicKeys: [] } ? WhyNotOpened(link, identities)
            : null;
    }

    private static string Described(bool isEncrypted, IReadOnlyList<string> publicKeys) => !isEncrypted ? "not encrypted"
        : publicKeys.Count == 0 ? "encrypted with a passphrase"
        : $"encrypted to {string.Join(" and ", publicKeys)}";

    private static string? WhyNotOpened(BackupMetadata link, IdentityRing identities)
    {
        using var file = CatalogReader.OpenFile(link);
        try
        {
            if (AgeHeader.TryRead(file) is not { } header)
            {
                return "is not encrypted, although its sidecar says so";
            }

            _ = identities.Open(header, link.Id);
            return header.IsForPassphrase ? null : "is encrypted to keys that its sidecar does not name";
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.IdentityMissing or BackupErrorId.IdentityWrong)
        {
            return "is encrypted with another passphrase than the new backup";
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            return $"cannot be opened ({exception.Message.TrimEnd('.')})";
        }
    }
}
