using System.Management.Automation;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Verifies backups and records the result.</summary>
/// <remarks>
/// <para>Level Full, the default, reads the file, compares its checksum, unpacks it into a private temporary file,
/// compares the SHA-256 of the database, runs integrity_check and compares the schema and the rows of each table with
/// what was recorded. Level Quick compares presence, size and stored checksum.</para>
/// <para>A backup that fails is written as an error too, and is marked as not verified. In a read-only directory the
/// result is shown but not recorded, with a warning.</para>
/// </remarks>
/// <example>
/// <para>Verify the newest backup</para>
/// <code>Get-SHBackup -Newest 1 | Test-SHBackup</code>
/// <para>Emits the backup with Verified, VerificationLevel, VerificationTimestamp and the single checks in Verification.</para>
/// </example>
/// <example>
/// <para>Show what was checked</para>
/// <code>(Get-SHBackup -Newest 1 | Test-SHBackup -Level Full).Verification</code>
/// <para>One line for each check, with what was found.</para>
/// </example>
/// <example>
/// <para>Decide in a script</para>
/// <code>if (Get-SHBackup -Newest 1 | Test-SHBackup -Level Quick -Quiet) { 'good' } else { 'make a new one' }</code>
/// <para>With -Quiet only True or False is emitted.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsDiagnostic.Test, "SHBackup", DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata), typeof(bool))]
public sealed class TestSHBackupCommand : StoredFileCommand
{
    /// <summary>How deep to look: Full unpacks and checks the database, Quick compares the stored file with its checksum.</summary>
    [Parameter]
    [ValidateSet(nameof(VerificationLevel.Quick), nameof(VerificationLevel.Full))]
    public VerificationLevel Level { get; set; } = VerificationLevel.Full;

    /// <summary>Emits True or False for each backup instead of the backup, and writes no error for one that fails.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in SelectedWithFiles())
        {
            ForItem(() =>
            {
                var outcome = RunOperation(context => VerifyBackup.Run(backup, directory, Level, context));
                if (Quiet)
                {
                    WriteObject(outcome.Fault is null);
                    return;
                }

                WriteObject(outcome.Backup);
                if (outcome.Fault is { } fault)
                {
                    WriteError(ToRecord(fault));
                }
            });
        }
    }
}
