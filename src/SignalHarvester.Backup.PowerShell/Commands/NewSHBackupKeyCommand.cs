using System.Management.Automation;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Makes a pair of keys for encrypted backups.</summary>
/// <remarks>
/// <para>Writes a new age secret key to a file that only its owner can read, and emits its public key. Backups are
/// encrypted to the public key (New-SHBackup -Recipient), which is not secret; restores and full tests need the file. It
/// has the format of age-keygen, and the age command accepts it.</para>
/// <para>If you lose the file, you lose every backup that is encrypted only to it. Keep two copies, away from the backups
/// and from the machine that makes them: on paper, in a password manager. An existing file is never overwritten.</para>
/// </remarks>
/// <example>
/// <para>Make a key</para>
/// <code>New-SHBackupKey ./restore.key</code>
/// <para>Shows the public key. Give it to New-SHBackup with -Recipient, or set app.backup.encryption.recipients.</para>
/// </example>
/// <example>
/// <para>Make a key, and a first backup encrypted to it</para>
/// <code>New-SHBackup ./app.db -Recipient (New-SHBackupKey ./first.key).Recipient | Test-SHBackup -IdentityFile ./first.key</code>
/// <para>The test decrypts the backup and checks the database in it.</para>
/// </example>
/// <seealso>New-SHBackup</seealso>
/// <seealso>Protect-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.New, "SHBackupKey", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "New-SHBackupKey.md")]
[OutputType(typeof(BackupKey))]
public sealed class NewSHBackupKeyCommand : PSCmdlet
{
    /// <summary>The file for the secret key. It must not exist.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [Alias("LiteralPath", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = string.Empty;

    /// <inheritdoc/>
    protected override void ProcessRecord() => this.ReportErrors(() =>
    {
        var path = this.FileSystemPath(Path);
        if (ShouldProcess(path, "Create a key for encrypted backups"))
        {
            WriteObject(BackupKeys.Create(path, TimeProvider.System));
        }
    });
}
