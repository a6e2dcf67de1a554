using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>Encryption in the age v1 format (<c>app.backup.encryption</c>).</summary>
public sealed record EncryptionSettings
{
    /// <summary>The public keys that backups are encrypted to: <c>age1…</c>. Empty for no encryption.</summary>
    public IReadOnlyList<string> Recipients { get; init; } = [];

    /// <summary>The full path of the file with the secret key for restores; null for none. Making backups does not need it.</summary>
    public string? IdentityFile { get; init; }

    /// <summary>Whether the sidecars of encrypted backups may show the database's tables and row counts.</summary>
    public bool RevealContent { get; init; }

    /// <summary>The encryption of backups; null for plain ones.</summary>
    /// <exception cref="BackupException">EncryptionUnavailable.</exception>
    public BackupEncryption? ToEncryption() => Recipients.Count == 0 ? null : BackupEncryption.To(Recipients);

    /// <summary>The secrets for encrypted backups on this machine: none if the file is missing or unusable.</summary>
    /// <param name="warn">Receives a warning about an unusable file: most operations need no key, and must continue.</param>
    /// <param name="cancellation">Ends the wait for a file that is a pipe.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public IdentityRing ToIdentities(Action<string> warn, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(warn);
        try
        {
            return File.Exists(IdentityFile) ? IdentityRing.Empty.WithFile(IdentityFile, cancellation) : IdentityRing.Empty;
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.IdentityInvalid)
        {
            warn($"{exception.Message} Until then, encrypted backups cannot be opened here.");
            return IdentityRing.Empty;
        }
    }
}
