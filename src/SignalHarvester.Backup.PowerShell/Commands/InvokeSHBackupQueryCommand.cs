using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Queries;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Asks backups a question in SQL, without restoring them.</summary>
/// <remarks>
/// <para>Reads a backup as it lies, here or in a store: only the frames with the pages that SQLite asks for are read and unpacked, each
/// page in its newest version of the chain. Emits one object a row as it is found. Several backups are asked one after another.</para>
/// <para>Without a backup from the pipeline, -Id or -LiteralPath it asks the newest of the database, or the newest at or before -PointInTime.</para>
/// <para>Nothing can be changed: it takes one SELECT, or a PRAGMA that only reports. -Timeout and Ctrl+C act between the steps of SQLite; one call
/// of a function over a huge value is a single step, which a smaller -MemoryLimit keeps short.</para>
/// <para>A query proves what it reads, and nothing else: each page is compared with its digest if the digests are at hand (those of the newest
/// backup in a backup directory), else the frame around it proves itself by its checksum, or by the encryption. All other pages are not looked
/// at. Test-SHBackup verifies a backup.</para>
/// <para>A file that cannot be read in pieces is unpacked to a private temporary file first, or fetched from its store, and a warning says so:
/// those of the predecessor, and in a store those made before this version, with gzip or without compression.</para>
/// <para>Numbers, texts, bytes and NULL keep their types. A column name that is there twice gets a number: a, a2. With -WithBackup each row
/// also has the BackupId and BackupTimestamp of its backup.</para>
/// </remarks>
/// <example>
/// <para>Look into the newest backup</para>
/// <code>New-SHBackup ./app.db | Invoke-SHBackupQuery 'select id, name from customer where id = :id' -Parameter @{ id = 7 }</code>
/// <para>Emits the row, if the backup has it.</para>
/// </example>
/// <example>
/// <para>Since when is the row gone?</para>
/// <code>Get-SHBackup -Database app.db | Invoke-SHBackupQuery 'select count(*) n from customer where id = 7' -WithBackup</code>
/// <para>Emits one line for each backup, newest first.</para>
/// </example>
/// <example>
/// <para>Ask the newest backup without a pipeline</para>
/// <code>Invoke-SHBackupQuery 'select count(*) customers from customer' -Database app.db</code>
/// <para>-PointInTime chooses another one, and -Newest several.</para>
/// </example>
/// <seealso>Find-SHBackup</seealso>
/// <seealso>Compare-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsLifecycle.Invoke, "SHBackupQuery", DefaultParameterSetName = ChoiceSet, HelpUri = HelpPages.Folder + "Invoke-SHBackupQuery.md")]
[OutputType(typeof(PSObject))]
public sealed class InvokeSHBackupQueryCommand : DecryptingCommand, IConfigurationOptional
{
    private const string ChoiceSet = "Choice";
    private const string PathSet = "Path";
    private const string IdColumn = "BackupId";
    private const string TimestampColumn = "BackupTimestamp";

    private readonly StoreParameters storeParameters = new();
    private readonly QueryParameters query = new();
    private QueryOptions? options;

    /// <summary>Makes the cmdlet.</summary>
    public InvokeSHBackupQueryCommand()
    {
        AddSource(storeParameters);
        AddParameters(query);
    }

    /// <summary>One statement in SQL that reads, such as 'select count(*) from customer'. In single quotes, so that PowerShell leaves it as it is.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Query { get; set; } = string.Empty;

    /// <summary>
    /// Ids of backups, such as backup_20261122_020000_123456. Wildcards match several, but not in pipeline input. Tab completes them.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [SupportsWildcards]
    [Binding.NameOf(typeof(BackupMetadata))]
    [ValidateNotNullOrEmpty]
    public override string[] Id { get; set; } = [];

    /// <summary>A backup file. If there is a sidecar beside it, its records are used.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Alias("Path", "PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// The database whose newest backup is asked, by its path (full, or from here, as ./app.db) or its file's name. Needed if there are backups
    /// of several.
    /// </summary>
    [Parameter(ParameterSetName = ChoiceSet)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>How many of the database's newest backups are asked, the newest first. Safety backups do not count.</summary>
    [Parameter(ParameterSetName = ChoiceSet)]
    [Alias("Last")]
    [ValidateRange(1, int.MaxValue)]
    public int Newest { get; set; } = 1;

    /// <summary>Asks the newest backup at or before this moment instead. A time without an offset is local.</summary>
    [Parameter(ParameterSetName = ChoiceSet)]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? PointInTime { get; set; }

    /// <summary>
    /// Asks the copies in an object store, in place: of -Provider and -Container, else the place that listed the backup. -From needs no -Remote.
    /// </summary>
    [Parameter]
    public SwitchParameter Remote { get; set; }

    /// <summary>Adds the id and the moment of its backup to each row, as BackupId and BackupTimestamp.</summary>
    [Parameter]
    public SwitchParameter WithBackup { get; set; }

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
        if (PointInTime is not null && this.IsBound(nameof(Newest)))
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                nameof(PointInTime), "-PointInTime and -Newest cannot be combined: each says which backup is asked. Give one of them.").ToRecord());
        }

        options = this.StopOnError(() => query.Options(Query));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        HasInput = true;
        foreach (var source in ParameterSetName switch
        {
            PathSet => Files(LiteralPath, IsRemote),
            ChoiceSet => Chosen(),
            _ => Selected(storeParameters, IsRemote),
        })
        {
            this.ReportErrors(() => Ask(source));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => WarnOfNoInput("nothing was asked");

    private IEnumerable<BackupSource> Chosen()
    {
        var (listed, store) = ListedOf(Database, storeParameters, IsRemote);
        var chosen = this.StopOnError<IReadOnlyList<BackupMetadata>>(
            () => PointInTime is { } moment ? [AtMoment(listed, moment)] : NewestBackups.OfOne(listed, Newest));
        return chosen.Select(backup => Located(backup, store));
    }

    private void Ask(BackupSource source)
    {
        try
        {
            Emit(source);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.InvalidArgument)
        {
            // It would be the same for every other backup.
            ThrowTerminatingError(exception.ToRecord());
        }
    }

    private void Emit(BackupSource source)
    {
        Runner.Output = item => WriteObject(Row((QueryRow)item, source.Backup));
        Runner.Run(context => BackupEngine.Query(
            source,
            options!,
            row =>
            {
                context.Report(new Progress.OperationResult(row, row.Bytes));
                return true;
            },
            context));
    }

    private PSObject Row(QueryRow row, BackupMetadata backup)
    {
        var shown = new PSObject();
        for (var column = 0; column < row.Columns.Count; column++)
        {
            shown.Properties.Add(new PSNoteProperty(row.Columns[column], row.Values[column]), preValidated: true);
        }

        if (WithBackup)
        {
            shown.Properties.Add(new PSNoteProperty(Free(IdColumn, row), backup.Id), preValidated: true);
            shown.Properties.Add(new PSNoteProperty(Free(TimestampColumn, row), backup.Timestamp), preValidated: true);
        }

        return shown;
    }

    /// <summary>Returns a name that no column of the query has.</summary>
    private static string Free(string name, QueryRow row) =>
        row.Columns.Contains(name, StringComparer.OrdinalIgnoreCase) ? Free(name + "_", row) : name;
}
