using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>Encryption in the age v1 format (<c>app.backup.encryption</c>).</summary>
public sealed record EncryptionSettings
{
    /// <summary>The public keys that backups are encrypted to: <c>age1…</c>. Empty for no encryption.</summary>
    public IReadOnlyList<string> Recipients { get; init; } = [];

    /// <summary>The full path of the file with the secret key that restores need; null for none. It need not be there to make backups.</summary>
    public string? IdentityFile { get; init; }

    /// <summary>Whether the sidecars of encrypted backups may tell the tables of the database and their rows.</summary>
    public bool RevealContent { get; init; }

    /// <summary>What backups are encrypted with; null for plain ones.</summary>
    /// <exception cref="BackupException">EncryptionUnavailable.</exception>
    public BackupEncryption? ToEncryption() => Recipients.Count == 0 ? null : BackupEncryption.To(Recipients);

    /// <summary>What encrypted backups can be opened with on this machine: nothing, where the file is not there or of no use.</summary>
    /// <param name="warn">Told of a file that is there and cannot be used: most of what runs here needs no key, and must go on.</param>
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
