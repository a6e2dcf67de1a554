using System.Management.Automation;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Verifies backups and records the result.</summary>
/// <remarks>
/// <para>Level Full, the default, reads the file, compares its checksum, unpacks it into a private temporary file,
/// compares the SHA-256 of the database, checks its structure, rows and indexes, and compares the schema and the row count
/// of each table with the record. Level Quick compares presence, size and stored checksum.</para>
/// <para>Structure and rows are checked with SQLite's quick_check. Whether each index has exactly the entries of its
/// table's rows, in order, is checked by reading both once and comparing sums of hashes, which finds what integrity_check
/// finds, in a fraction of its time. What that cannot compare, such as an index with a collation of the application, and
/// whatever looks wrong, is checked with integrity_check. The check named Integrity says what was done.</para>
/// <para>The result is the backup with Passed, Level, Elapsed and Detail, so it can be piped to the other cmdlets.</para>
/// <para>A failed backup also gives an error, and is marked as not verified. In a read-only directory the result is shown
/// but not recorded, with a warning.</para>
/// <para>With -Remote, or for a backup from Get-SHBackup -Remote, it tests the copy in the object store. Quick compares
/// size and the store's checksums with the record; Full fetches the copy and tests it like a local one. Nothing in the
/// store is changed.</para>
/// </remarks>
/// <example>
/// <para>Verify the newest backup</para>
/// <code>Get-SHBackup -Newest 1 | Test-SHBackup</code>
/// <para>Says whether it passed, at which level, how long that took, and what was checked. The object is the backup, with the checks in Verification.</para>
/// </example>
/// <example>
/// <para>Show the checks</para>
/// <code>(Get-SHBackup -Newest 1 | Test-SHBackup -Level Full).Verification</code>
/// <para>Shows one line for each check, with its finding.</para>
/// </example>
/// <example>
/// <para>Decide in a script</para>
/// <code>if (Get-SHBackup -Newest 1 | Test-SHBackup -Level Quick -Quiet) { 'good' } else { 'make a new one' }</code>
/// <para>With -Quiet only True or False is emitted.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsDiagnostic.Test, "SHBackup", DefaultParameterSetName = IdSet, HelpUri = HelpPages.Folder + "Test-SHBackup.md")]
[OutputType(typeof(BackupTestResult), typeof(bool))]
public sealed class TestSHBackupCommand : DecryptingCommand, IConfigurationOptional
{
    private const string PathSet = "Path";

    private readonly StoreParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public TestSHBackupCommand() => AddSource(storeParameters);

    /// <summary>
    /// A backup file. If there is a sidecar beside it, its records are used; otherwise only the file's content is checked.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Alias("Path", "PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The level of the test: Full unpacks and checks the database, Quick compares the stored file with its checksum.</summary>
    [Parameter]
    [ValidateSet(nameof(VerificationLevel.Quick), nameof(VerificationLevel.Full))]
    public VerificationLevel Level { get; set; } = VerificationLevel.Full;

    /// <summary>
    /// Runs SQLite's own integrity_check in any case, which takes several times as long. The setting verification.thorough does so for
    /// every check of a database. Without effect at level Quick.
    /// </summary>
    [Parameter]
    public SwitchParameter Thorough { get; set; }

    /// <summary>Emits True or False for each backup instead of the result, and writes no error for a failed one.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>
    /// Tests the copy in an object store: in that of -From (or of -Provider and -Container), else the place that listed the backup,
    /// else that of its first copy. Quick fetches no backup file; Full fetches the chain and deletes it afterwards.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory and -IdentityFile.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    private bool IsRemote => Remote || NamedStores.Count > 0;

    private protected override string? MissingStoreSwitch => IsRemote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        Runner.IsThorough = GivenOr(nameof(Thorough), Thorough.IsPresent, Runner.IsThorough);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        HasInput = true;
        foreach (var source in ParameterSetName == PathSet ? Files(LiteralPath, IsRemote) : Selected(storeParameters, IsRemote))
        {
            this.ReportErrors(() => Show(Runner.Run(context => BackupEngine.Verify(source, Level, context))));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => WarnOfNoInput("nothing was verified");

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
