using System.Management.Automation;
using System.Security;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Encrypts backups to other keys.</summary>
/// <remarks>
/// <para>Rewrites the header of encrypted backups, so that other keys open them: those given with -Recipient, and no others.
/// The content is copied as it is, not decrypted. What opens the backups now is needed once, as -IdentityFile or
/// -Passphrase.</para>
/// <para>This is no revocation. Who had a file and a key that opens it has been able to read it, and to keep its inner key,
/// which stays the same; copies elsewhere open with the former keys until they are sent anew and the old ones are removed.
/// Where a key has got into the wrong hands, make new full backups to a new key and remove the old ones.</para>
/// <para>Each link of a chain is a file of its own: pass all backups, as the examples do. A backup that is not encrypted is an
/// error; make a new one with New-SHBackup -Recipient.</para>
/// </remarks>
/// <example>
/// <para>Let a second key open all backups</para>
/// <code>$old = New-SHBackupKey ./old.key; New-SHBackup ./app.db -Recipient $old | Protect-SHBackup -Recipient $old, (New-SHBackupKey ./new.key) -IdentityFile ./old.key</code>
/// <para>From now on, either of the two opens the backup.</para>
/// </example>
/// <example>
/// <para>Change all encrypted backups of a directory to a new key</para>
/// <code>$lost, $new = (New-SHBackupKey ./lost.key), (New-SHBackupKey ./safe.key); $null = New-SHBackup ./app.db -Recipient $lost; Get-SHBackup | Where-Object Recipients -contains $lost.Recipient | Protect-SHBackup -Recipient $new -IdentityFile ./lost.key</code>
/// <para>A backup states the public keys that it is encrypted to as its Recipients.</para>
/// </example>
/// <seealso>New-SHBackupKey</seealso>
/// <seealso>New-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsSecurity.Protect, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class ProtectSHBackupCommand : DecryptingCommand
{
    private BackupEncryption? encryption;

    /// <summary>The age public keys that the backups are encrypted to from now on, in the place of the former ones. Without it, the recipients of the configuration.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Recipient { get; set; }

    /// <summary>A passphrase that the backups are encrypted with from now on, in the place of keys.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? NewPassphrase { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        encryption = this.StopOnError(() => NewEncryption(Recipient, NewPassphrase, nameof(NewPassphrase))) ?? this.StopOnError<BackupEncryption>(() => throw new BackupException(
            BackupErrorId.RecipientInvalid, nameof(Recipient), "Nobody was given to encrypt the backups to, and no recipients are configured. Give public keys with -Recipient, or -NewPassphrase."));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in SelectedHere())
        {
            this.ReportErrors(() =>
            {
                if (ShouldProcess(Named(backup), "Encrypt to other keys"))
                {
                    WriteObject(Runner.Run(context => BackupEngine.Protect(backup, directory, encryption!, context)));
                }
            });
        }
    }
}
