using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Queries;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Finds the newest backup that has something, by a question in SQL.</summary>
/// <remarks>
/// <para>Asks one backup after another, the newest first, until the query has a row, and emits that backup. Nothing is restored or unpacked for it:
/// Invoke-SHBackupQuery says how, and what such a look proves.</para>
/// <para>With -Bisect it asks few of them. Use it if the wanted rows were there up to some moment and never again: then every backup before that
/// moment has them, and none after it. Otherwise it may find an older backup than the newest that has them, or none.</para>
/// <para>A backup in which the query fails, because an older version of the application had no such table, has no row. If it fails in all of them,
/// that is an error. A backup that cannot be read is an error of its own, and the search goes on with the others.</para>
/// </remarks>
/// <example>
/// <para>Find the newest backup that still has a row</para>
/// <code>New-SHBackup ./app.db | Out-Null; Find-SHBackup 'select 1 from customer where id = 7' -Database app.db</code>
/// <para>Emits the backup, for example for Restore-SHBackup -Table.</para>
/// </example>
/// <example>
/// <para>Bring a deleted row back from wherever it still is</para>
/// <code>
/// New-SHBackup ./app.db | Out-Null;
/// Find-SHBackup 'select 1 from customer where id = 7' -Database app.db -Bisect |
///     Restore-SHBackup -Table customer -Where 'id = 7' -Into ./app.db -Force
/// </code>
/// <para>Existing rows stay as they are.</para>
/// </example>
/// <seealso>Invoke-SHBackupQuery</seealso>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Find, "SHBackup", DefaultParameterSetName = ChoiceSet, HelpUri = HelpPages.Folder + "Find-SHBackup.md")]
[OutputType(typeof(BackupMetadata))]
public sealed class FindSHBackupCommand : DecryptingCommand, IConfigurationOptional
{
    private const string ChoiceSet = "Choice";

    private readonly StoreParameters storeParameters = new();
    private readonly QueryParameters query = new();
    private readonly List<BackupSource> sources = [];
    private QueryOptions? options;

    /// <summary>Makes the cmdlet.</summary>
    public FindSHBackupCommand()
    {
        AddSource(storeParameters);
        AddParameters(query);
    }

    /// <summary>
    /// One SELECT that has a row if the backup is the wanted one, such as 'select 1 from orders where id = 7'. A count(*) always has one.
    /// </summary>
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

    /// <summary>
    /// The database whose backups are searched, by its path (full, or from here, as ./app.db) or its file's name. Without it, and without input, those
    /// of all databases.
    /// </summary>
    [Parameter(ParameterSetName = ChoiceSet)]
    [ArgumentCompleter(typeof(DatabaseCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>Searches backups made at this moment or later. A time without an offset is local.</summary>
    [Parameter(ParameterSetName = ChoiceSet)]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? After { get; set; }

    /// <summary>Searches backups made before this moment. A time without an offset is local.</summary>
    [Parameter(ParameterSetName = ChoiceSet)]
    [ArgumentCompleter(typeof(MomentCompleter))]
    [ValidateNotNull]
    public DateTimeOffset? Before { get; set; }

    /// <summary>
    /// Asks few backups, by halving: ten of a thousand. Right only if all backups of one database up to some moment have a row, and none after it.
    /// </summary>
    [Parameter]
    public SwitchParameter Bisect { get; set; }

    /// <summary>Searches an object store, in place: that of -Provider and -Container, or the only configured one. -From needs no -Remote.</summary>
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
        options = this.StopOnError(() => query.Options(Query));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        HasInput = true;
        sources.AddRange(ParameterSetName == ChoiceSet ? Chosen() : Selected(storeParameters, IsRemote));
    }

    /// <summary>Searches all backups of the pipeline together.</summary>
    protected override void EndProcessing()
    {
        WarnOfNoInput("nothing was searched");
        if (sources.Count == 0)
        {
            if (HasInput && ParameterSetName == ChoiceSet)
            {
                WriteWarning("There is no backup to search. List the backups with Get-SHBackup.");
            }

            return;
        }

        this.ReportErrors(() =>
        {
            RequireOneDatabase();
            var faults = new List<BackupException>();
            BackupSource? found;
            try
            {
                found = Runner.Run(context => BackupEngine.Find(sources, options!, Bisect, faults.Add, context));
            }
            finally
            {
                faults.ForEach(fault => WriteError(fault.ToRecord()));
            }

            if (found is not null)
            {
                WriteObject(found.Backup);
            }
            else if (faults.Count < sources.Count)
            {
                WriteWarning(Bisect
                    ? "No backup that was asked has a row for the query. With -Bisect, few are asked: without it, all of them."
                    : $"No backup has a row for the query: {Counted(sources.Count - faults.Count)} asked.");
            }
        });
    }

    private static string Counted(int backups) => backups == 1 ? "one was" : string.Create(CultureInfo.InvariantCulture, $"{backups:N0} were");

    private IEnumerable<BackupSource> Chosen()
    {
        var (listed, store) = ListedOf(Database, storeParameters, IsRemote);

        // A log of the predecessor's is no database by itself.
        return listed
            .Where(backup => backup is not { IsPredecessor: true, Type: BackupType.Wal })
            .Where(backup => (After is null || backup.Timestamp >= After) && (Before is null || backup.Timestamp < Before))
            .Select(backup => Located(backup, store));
    }

    private void RequireOneDatabase()
    {
        var databases = sources.Select(source => source.Backup.DatabasePath).Distinct(StringComparer.Ordinal).Take(2).ToList();
        if (Bisect && databases.Count > 1)
        {
            throw new BackupException(
                BackupErrorId.DatabaseAmbiguous, databases[0],
                $"-Bisect searches the backups of one database, and there are those of '{databases[0]}' and '{databases[1]}'. Give one of them with -Database.");
        }
    }
}
