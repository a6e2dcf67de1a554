using System.Collections;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Tests backups by restoring them.</summary>
/// <remarks>
/// <para>Restores each backup to a private temporary place, with the same operation as Restore-SHBackup: it reads,
/// decrypts and assembles the chain, compares every checksum, checks the database, and compares schema and row counts
/// with the record. Then it runs foreign_key_check and the queries of the configuration (app.backup.drill.assertions) and
/// of -Assertion. The copy is always deleted, even after Ctrl+C; after a kill, the next run deletes it.</para>
/// <para>The result has the duration of the restore: the recovery time to expect on this machine. The history and the
/// metrics record it. A failed drill emits its result and an error, so a schedule's run fails too.</para>
/// <para>-Stream does the same with the newest transaction that continuous protection has stored in a store: its ordinary backup, and the segments after
/// it.</para>
/// <para>Queries cannot change anything: the copy is opened read-only, and no other file can be attached. All queries of
/// one drill together may take five minutes.</para>
/// </remarks>
/// <example>
/// <para>Test a restore of the newest backup of each database</para>
/// <code>Invoke-SHRestoreDrill -Newest</code>
/// <para>Emits a result for each database.</para>
/// </example>
/// <example>
/// <para>Check a condition in the restored database</para>
/// <code>Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill -Assertion @{ Query = 'SELECT count(*) FROM sqlite_schema'; Expect = '> 0' }</code>
/// <para>A value, or a comparison: &gt;, &gt;=, &lt;, &lt;=, !=.</para>
/// </example>
/// <example>
/// <para>Test a restore of the newest second</para>
/// <code>
/// # A store with a stream of transactions, as continuous protection keeps it, is needed for this.
/// if ($false) { Invoke-SHRestoreDrill -Stream -From offsite }
/// </code>
/// <para>Emits a result for each database that is protected continuously there.</para>
/// </example>
/// <example>
/// <para>Fail a script when the newest backup does not restore</para>
/// <code>if (Invoke-SHRestoreDrill -Newest -Quiet) { 'It restores.' } else { throw 'The newest backup does not restore.' }</code>
/// <para>With several databases, -Quiet emits True or False for each.</para>
/// </example>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsLifecycle.Invoke, "SHRestoreDrill", SupportsShouldProcess = true, DefaultParameterSetName = IdSet,
    HelpUri = HelpPages.Folder + "Invoke-SHRestoreDrill.md")]
[Alias("Invoke-SHBackupDrill")]
[OutputType(typeof(RestoreDrill), typeof(bool))]
public sealed class InvokeSHRestoreDrillCommand : DecryptingCommand, IConfigurationOptional
{
    private const string NewestSet = "Newest";
    private const string StreamSet = "Stream";

    private readonly StoreParameters storeParameters = new();
    private IReadOnlyList<DrillAssertion> assertions = [];

    /// <summary>Makes the cmdlet.</summary>
    public InvokeSHRestoreDrillCommand() => AddSource(storeParameters);

    /// <summary>Drills the newest backup of each database.</summary>
    [Parameter(Mandatory = true, ParameterSetName = NewestSet)]
    [Alias("Last")]
    public SwitchParameter Newest { get; set; }

    /// <summary>
    /// Drills the newest transaction of each database that has a stream of them in the store of -From: what a restore after the loss of this machine would
    /// bring back. On the machine that protects the database, it must be at least the last transaction that was reported as stored.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = StreamSet)]
    public SwitchParameter Stream { get; set; }

    /// <summary>With -Newest and -Stream: only these databases, by the full path or the file's name. Wildcards match several.</summary>
    [Parameter(ParameterSetName = NewestSet)]
    [Parameter(ParameterSetName = StreamSet)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>
    /// Queries for the restored database, in addition to the configured ones: hashtables with Query, which returns one
    /// value, and Expect.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable[] Assertion { get; set; } = [];

    /// <summary>
    /// Drills the copy in an object store: in that of -From (or of -Provider and -Container), else the place that listed the backup,
    /// else that of its first copy. The download is deleted after the drill.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>Emits True or False for each drill instead of its result, and writes no error for a failed one.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory and -IdentityFile. The queries of the
    /// configuration do not run then.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    private bool IsRemote => Remote || NamedStores.Count > 0;

    private protected override string? MissingStoreSwitch => IsRemote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        assertions = this.StopOnError<IReadOnlyList<DrillAssertion>>(() => [.. Settings.DrillAssertions, .. Assertion.Select(ToAssertion)]);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == StreamSet)
        {
            DrillStreams();
            return;
        }

        foreach (var source in ParameterSetName == NewestSet ? NewestOfEach() : Selected(storeParameters, IsRemote))
        {
            this.ReportErrors(() => Drill(source));
        }
    }

    private IEnumerable<BackupSource> NewestOfEach()
    {
        if (IsRemote)
        {
            var store = this.StopOnError(() => OpenStore(storeParameters));
            return Wanted(this.StopOnError(() => List(store))).Select(backup => this.StopOnError(() => InStore(backup, store)));
        }

        return Newest
            ? Wanted(this.StopOnError(() => List(OpenDirectories()))).Select(backup => BackupSource.In(OpenConfigured(backup.BackupDirectory), backup))
            : [];
    }

    private List<BackupMetadata> Wanted(IReadOnlyList<BackupMetadata> backups)
    {
        var databases = Databases(Database);
        var wanted = NewestBackups.OfEach(backups).Where(backup => databases.Passes(backup.DatabasePath)).ToList();
        if (wanted.Count == 0)
        {
            // A drill of no backup proves nothing.
            ThrowTerminatingError(new BackupException(
                BackupErrorId.BackupNotFound, Database is null ? BackupDirectory : string.Join(", ", Database),
                $"There is no backup{(Database is null ? string.Empty : $" of '{string.Join("', '", Database)}'")} for a drill. List the backups with Get-SHBackup.")
                .ToRecord());
        }

        return wanted;
    }

    private void DrillStreams()
    {
        this.StopOnError(() => RequireStreamStore(nameof(Stream)));
        var store = this.StopOnError(() => OpenStore(storeParameters));
        var filter = Databases(Database);
        var databases = this.StopOnError(() => List(store))
            .Where(backup => backup.DatabasePath is not null && filter.Passes(backup.DatabasePath))
            .GroupBy(backup => backup.DatabasePath, StringComparer.Ordinal)
            .Where(backups => backups.Any(StreamPlanner.IsOfStream))
            .ToList();
        if (databases.Count == 0)
        {
            // A drill of nothing proves nothing.
            ThrowTerminatingError(new BackupException(
                BackupErrorId.TransactionNotFound, Database is null ? store.Location.ToString() : string.Join(", ", Database),
                $"'{store.Location}' has no stream of transactions{(Database is null ? string.Empty : $" of '{string.Join("', '", Database)}'")} for a drill. Start-SHBackupProtection makes one; -Newest drills ordinary backups.")
                .ToRecord());
        }

        foreach (var backups in databases.Select(group => group.ToList()))
        {
            if (ShouldProcess(backups[0].DatabasePath!, "Restore the newest transaction to a temporary place, query the database, and delete it"))
            {
                this.ReportErrors(() => Show(
                    Runner.Run(context => BackupEngine.Drill(store, backups, OpenHome(backups[0]), assertions, context))));
            }
        }
    }

    private void Drill(BackupSource source)
    {
        var backup = source.Backup;
        var size = ProgressView.Size(backup.DatabaseSize ?? backup.Size);
        if (ShouldProcess(Named(backup), $"Restore {size} to a temporary place, query the database, and delete it"))
        {
            Show(Runner.Run(context => BackupEngine.Drill(source, assertions, context)));
        }
    }

    private void Show(RestoreDrill drill)
    {
        if (Quiet)
        {
            WriteObject(drill.Passed);
            return;
        }

        WriteObject(drill);
        if (!drill.Passed)
        {
            WriteError(BackupEngine.FaultOf(drill).ToRecord());
        }
    }

    private static DrillAssertion ToAssertion(Hashtable table) =>
        table.Count == 2 && table["Query"] is { } query && table["Expect"] is { } expect
            ? new DrillAssertion(LanguagePrimitives.ConvertTo<string>(query), LanguagePrimitives.ConvertTo<string>(expect))
            : throw BackupException.InvalidArgument(
                nameof(Assertion),
                "-Assertion takes hashtables with only the keys Query and Expect. Give for example @{ Query = 'SELECT count(*) FROM signals'; Expect = '> 0' }.");
}
