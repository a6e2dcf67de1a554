using SignalHarvester.Backup.Encryption.Age;

namespace SignalHarvester.Backup.Encryption;

/// <summary>How one file is encrypted.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Key">Its key.</param>
internal sealed record FileEncryption(AgeHeader Header, AgeFileKey Key)
{
    /// <summary>Makes a new key, wrapped for all recipients.</summary>
    public static FileEncryption Create(BackupEncryption encryption)
    {
        var key = AgeFileKey.Create();
        return new FileEncryption(encryption.NewHeader(key), key);
    }
}
