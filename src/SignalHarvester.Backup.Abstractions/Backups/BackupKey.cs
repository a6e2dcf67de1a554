namespace SignalHarvester.Backup;

/// <summary>A pair of keys for encrypted backups. The secret key is only in the file.</summary>
/// <param name="Recipient">The public key, which begins with age1. It is not secret.</param>
/// <param name="Path">The file with the secret key.</param>
/// <param name="Created">The time of its creation.</param>
public sealed record BackupKey(string Recipient, string Path, DateTimeOffset Created)
{
    /// <summary>The public key.</summary>
    public override string ToString() => Recipient;
}
