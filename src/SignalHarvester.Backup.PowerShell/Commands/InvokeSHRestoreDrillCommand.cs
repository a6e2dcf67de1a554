using System.Collections;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Proves that backups restore, by restoring them.</summary>
/// <remarks>
/// <para>Restores each backup to a private temporary place, with the same operation as Restore-SHBackup: the chain is read,
/// decrypted and put together, every checksum compared, integrity_check run, and schema and row counts compared with what was
/// recorded. Then foreign_key_check is run, and the database is asked the questions of the configuration
/// (app.backup.drill.assertions) and of -Assertion. The copy is deleted in any case, also after Ctrl+C; after a kill, by
/// the next run.</para>
/// <para>The result states how long the restore took: the recovery time to reckon with on this machine. It stands in the
/// history and in the metrics. A drill that fails emits its result, and an error, so that a schedule's run fails too.</para>
/// <para>Questions can change nothing: the copy is opened to be read alone, and no other file can be attached. All of one
/// drill together may take five minutes.</para>
/// </remarks>
/// <example>
/// <para>Prove that the newest backup of each database restores</para>
/// <code>Invoke-SHRestoreDrill -Newest</code>
/// <para>Emits a result for each database.</para>
/// </example>
/// <example>
/// <para>Ask the restored database something that must be true</para>
/// <code>Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill -Assertion @{ Query = 'SELECT count(*) FROM sqlite_schema'; Expect = '> 0' }</code>
/// <para>A value, or a comparison: &gt;, &gt;=, &lt;, &lt;=, !=.</para>
/// </example>
/// <example>
/// <para>Fail a script when the newest backup does not restore</para>
/// <code>if (Invoke-SHRestoreDrill -Newest -Quiet) { 'It restores.' } else { throw 'The newest backup does not restore.' }</code>
/// <para>With several databases, -Quiet emits a truth value for each.</para>
/// </example>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>Test-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Invoke, "SHRestoreDrill", SupportsShouldProcess = true, DefaultParameterSetName = IdSet)]
[OutputType(typeof(RestoreDrill), typeof(bool))]
public sealed class InvokeSHRestoreDrillCommand : DecryptingCommand, IDynamicParameters, IConfigurationOptional
{
    private const string NewestSet = "Newest";

    private readonly StoreParameters cloud = new();
    private IReadOnlyList<DrillAssertion> assertions = [];

    /// <summary>Drills the newest backup of each database.</summary>
    [Parameter(Mandatory = true, ParameterSetName = NewestSet)]
    public SwitchParameter Newest { get; set; }

    /// <summary>With -Newest: these databases alone, by the full path or the file's name. Wildcards match several.</summary>
    [Parameter(ParameterSetName = NewestSet)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Database { get; set; }

    /// <summary>What the restored database is asked, on top of what is configured: hashtables with Query, which gives one value, and Expect.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable[] Assertion { get; set; } = [];

    /// <summary>
    /// Drills the copy in an object store: the place named with -Provider and -Container, else the one that the backup was
    /// listed from, else that of its first copy. It is fetched for as long as the drill takes.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>Emits True or False for each drill instead of its result, and writes no error for one that fails.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>
    /// Looks at neither the configuration file nor the SHBACKUP_ environment variables, so that a mistake in them is in nobody's
    /// way: what is needed is given by parameters, such as -BackupDirectory and -IdentityFile. The questions of the configuration are not asked then.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <summary>The parameters of the object store.</summary>
    public object GetDynamicParameters() => cloud;

    private protected override string? MissingStoreSwitch => Remote ? null : "-Remote";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        assertions = this.StopOnError<IReadOnlyList<DrillAssertion>>(() => [.. Settings.DrillAssertions, .. Assertion.Select(ToAssertion)]);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var source in ParameterSetName == NewestSet ? NewestOfEach() : Selected(cloud, Remote))
        {
            this.ReportErrors(() => Drill(source));
        }
    }

    private IEnumerable<BackupSource> NewestOfEach()
    {
        if (Remote)
        {
            var store = this.StopOnError(() => OpenStore(cloud));
            return Wanted(this.StopOnError(() => List(store))).Select(backup => this.StopOnError(() => InStore(backup, store)));
        }

        return Newest ? Wanted(this.StopOnError(() => List(OpenDirectories()))).Select(backup => BackupSource.In(OpenConfigured(backup.BackupDirectory), backup)) : [];
    }

    private List<BackupMetadata> Wanted(IReadOnlyList<BackupMetadata> backups)
    {
        var databases = Databases(Database);
        var wanted = NewestBackups.OfEach(backups).Where(backup => databases.Passes(backup.DatabasePath)).ToList();
        if (wanted.Count == 0)
        {
            // Nothing to prove is no proof.
            ThrowTerminatingError(new BackupException(
                BackupErrorId.BackupNotFound, Database is null ? BackupDirectory : string.Join(", ", Database), $"There is no backup{(Database is null ? string.Empty : $" of '{string.Join("', '", Database)}'")} to make a drill with. See what is there with Get-SHBackup.").ToRecord());
        }

        return wanted;
    }

    private void Drill(BackupSource source)
    {
        var backup = source.Backup;
        var size = ProgressView.Size(backup.DatabaseSize ?? backup.Size);
        if (!ShouldProcess(Named(backup), $"Restore {size} to a temporary place, question the database, and delete it"))
        {
            return;
        }

        var drill = Runner.Run(context => BackupEngine.Drill(source, assertions, context));
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
                nameof(Assertion), "-Assertion takes hashtables with the keys Query and Expect, and no others. Give for example @{ Query = 'SELECT count(*) FROM signals'; Expect = '> 0' }.");
}
