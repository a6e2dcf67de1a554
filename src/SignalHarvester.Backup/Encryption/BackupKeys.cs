using SignalHarvester.Backup.Encryption.Age;

namespace SignalHarvester.Backup.Encryption;

/// <summary>Makes key pairs.</summary>
public static class BackupKeys
{
    /// <summary>Makes a pair, and writes the secret key to a new file.</summary>
    /// <param name="path">The file's full path.</param>
    /// <param name="clock">The time, noted in the file.</param>
    /// <exception cref="BackupException">IdentityFileExists, DestinationNotWritable.</exception>
    public static BackupKey Create(string path, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var (identity, moment) = (X25519Identity.Create(), clock.GetUtcNow());
        IdentityFile.Write(path, identity, moment);
        return new BackupKey(identity.PublicKey.Text, path, moment);
    }
}
