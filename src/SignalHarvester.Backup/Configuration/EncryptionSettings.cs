namespace SignalHarvester.Backup.Configuration;

/// <summary>Encryption in the age v1 format (<c>app.backup.encryption</c>).</summary>
public sealed record EncryptionSettings
{
    /// <summary>The public keys that backups are encrypted to: <c>age1…</c>. Empty for no encryption.</summary>
    public IReadOnlyList<string> Recipients { get; init; } = [];

    /// <summary>The full path of the file with the secret key that restores need; null for none. It is not opened here.</summary>
    public string? IdentityFile { get; init; }
}
