using System.Management.Automation;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Verifies backups and records the result.</summary>
/// <remarks>
/// <para>Level Full, the default, reads the file, compares its checksum, unpacks it into a private temporary file,
/// compares the SHA-256 of the database, runs integrity_check and compares the schema and the rows of each table with
/// what was recorded. Level Quick compares presence, size and stored checksum.</para>
/// <para>A backup that fails is written as an error too, and is marked as not verified. In a read-only directory the
/// result is shown but not recorded, with a warning.</para>
/// <para>With -Remote, or of a backup that Get-SHBackup -Remote listed, the copy in the object store is tested. Quick holds
/// size and the store's checksums against what was recorded when it had arrived; Full fetches it and tests it like one that
/// lies here. Nothing in the store is changed.</para>
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
public sealed class TestSHBackupCommand : DecryptingCommand, IDynamicParameters, IConfigurationOptional
{
    private const string PathSet = "Path";

    private readonly StoreParameters cloud = new();

    /// <summary>
    /// A backup file. Where a sidecar lies beside it, all that is recorded there is used; without one, the file is
    /// judged by what it holds.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Alias("Path", "PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>How deep to look: Full unpacks and checks the database, Quick compares the stored file with its checksum.</summary>
    [Parameter]
    [ValidateSet(nameof(VerificationLevel.Quick), nameof(VerificationLevel.Full))]
    public VerificationLevel Level { get; set; } = VerificationLevel.Full;

    /// <summary>Emits True or False for each backup instead of the backup, and writes no error for one that fails.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>
    /// Tests the copy in an object store: the place named with -Provider and -Container, else the one that the backup was
    /// listed from, else that of its first copy. Quick fetches no backup file; Full fetches the chain for as long as it takes.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>
    /// Looks at neither the configuration file nor the SHBACKUP_ environment variables, so that a mistake in them is in nobody's
    /// way: what is needed is given by parameters, such as -BackupDirectory and -IdentityFile.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <summary>The parameters of the object store.</summary>
    public object GetDynamicParameters() => cloud;

    private protected override string? MissingStoreSwitch => Remote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        HasInput = true;
        foreach (var source in ParameterSetName == PathSet ? Files(LiteralPath) : Selected(cloud, Remote))
        {
            this.ReportErrors(() => Show(Runner.Run(context => BackupEngine.Verify(source, Level, context))));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => TellNoInput("nothing was verified");

    private void Show(VerificationOutcome outcome)
    {
        if (Quiet)
        {
            WriteObject(outcome.Fault is null);
            return;
        }

        WriteObject(outcome.Backup);
        if (outcome.Fault is { } fault)
        {
            WriteError(fault.ToRecord());
        }
    }
}
