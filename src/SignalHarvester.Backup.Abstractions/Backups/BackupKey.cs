namespace SignalHarvester.Backup;

/// <summary>A pair of keys for encrypted backups. The secret one is in the file, and nowhere else.</summary>
/// <param name="Recipient">The public key, which begins with age1. It is no secret.</param>
/// <param name="Path">The file with the secret key.</param>
/// <param name="Created">When it was made.</param>
public sealed record BackupKey(string Recipient, string Path, DateTimeOffset Created)
{
    /// <summary>The public key.</summary>
    public override string ToString() => Recipient;
}
