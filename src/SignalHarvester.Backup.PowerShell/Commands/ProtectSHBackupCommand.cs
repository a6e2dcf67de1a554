using System.Management.Automation;
using System.Security;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Re-encrypts backups to other keys.</summary>
/// <remarks>
/// <para>Rewrites the header of encrypted backups, so that only the keys of -Recipient open them. The content is copied
/// unchanged, without decrypting it. The present key or passphrase is needed once, as -IdentityFile or
/// -Passphrase.</para>
/// <para>This is no revocation. Anybody who had a file and a key for it could read it, and could keep its inner key,
/// which stays the same; copies elsewhere open with the former keys until they are sent again and the old ones are
/// removed. If a key is in the wrong hands, make new full backups to a new key and remove the old ones.</para>
/// <para>Each link of a chain is a file of its own: pass all backups, as in the examples. A plain backup is an error;
/// make a new one with New-SHBackup -Recipient.</para>
/// </remarks>
/// <example>
/// <para>Let a second key open all backups</para>
/// <code>
/// $old = New-SHBackupKey ./old.key;
/// New-SHBackup ./app.db -Recipient $old | Protect-SHBackup -Recipient $old, (New-SHBackupKey ./new.key) -IdentityFile ./old.key
/// </code>
/// <para>From then on, either of the two opens the backup.</para>
/// </example>
/// <example>
/// <para>Change all encrypted backups of a directory to a new key</para>
/// <code>
/// $lost, $new = (New-SHBackupKey ./lost.key), (New-SHBackupKey ./safe.key);
/// $null = New-SHBackup ./app.db -Recipient $lost;
/// Get-SHBackup | Where-Object Recipients -contains $lost.Recipient | Protect-SHBackup -Recipient $new -IdentityFile ./lost.key
/// </code>
/// <para>A backup has the public keys that it is encrypted to as its Recipients.</para>
/// </example>
/// <seealso>New-SHBackupKey</seealso>
/// <seealso>New-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsSecurity.Protect, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = ObjectSet,
    HelpUri = HelpPages.Folder + "Protect-SHBackup.md")]
[OutputType(typeof(BackupMetadata))]
public sealed class ProtectSHBackupCommand : DecryptingCommand
{
    private BackupEncryption? encryption;

    /// <summary>The age public keys that replace the former ones. Without it, the recipients of the configuration.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Recipient { get; set; }

    /// <summary>A passphrase that replaces the former keys.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? NewPassphrase { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        encryption = this.StopOnError(() => NewEncryption(Recipient, NewPassphrase, nameof(NewPassphrase)))
            ?? this.StopOnError<BackupEncryption>(() => throw new BackupException(
            BackupErrorId.RecipientInvalid, nameof(Recipient),
            "No recipient was given, and none is configured. Give public keys with -Recipient, or -NewPassphrase."));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, catalog) in SelectedHere())
        {
            this.ReportErrors(() =>
            {
                if (ShouldProcess(Named(backup), "Encrypt to other keys"))
                {
                    WriteObject(Runner.Run(context => BackupEngine.Protect(backup, catalog.Home, encryption!, context)));
                }
            });
        }
    }
}
