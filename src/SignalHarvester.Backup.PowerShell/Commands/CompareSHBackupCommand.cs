using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows the changes between two backups, or between a backup and the live database.</summary>
/// <remarks>
/// <para>Counts the added, removed and changed rows of each table, and shows each table, index, view and trigger that is
/// new, gone or has another definition. Without -Difference and -Database, the later state is the present state of the
/// backup's database; its writers do not have to wait.</para>
/// <para>Rows are matched by their primary key, or by rowid if there is none or it contains NULLs, and compared by bytes
/// and type of value. VACUUM may change rowids; then rows show as changed. Columns of only one state are not compared,
/// and Detail says so. Keys in an order that only the application knows (a collation of its own) are matched by their
/// bytes. A table that cannot be compared has the change Unknown, and Detail says why; the others are compared.</para>
/// <para>Backups are read as they lie, here or in a store, and not restored: Invoke-SHBackupQuery says what such a look proves. Only
/// the state of a live database is copied to a private temporary place, which needs room for it.</para>
/// </remarks>
/// <example>
/// <para>Show the changes since the newest backup</para>
/// <code>New-SHBackup ./app.db | Compare-SHBackup -IncludeEqual</code>
/// <para>Without -IncludeEqual, only differences are shown.</para>
/// </example>
/// <example>
/// <para>Show the changes between two backups</para>
/// <code>$one = New-SHBackup ./app.db; $two = New-SHBackup ./app.db; Compare-SHBackup $one -Difference $two -IncludeEqual -Table customer</code>
/// <para>The first counts as the earlier state, whatever their ages.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsData.Compare, "SHBackup", DefaultParameterSetName = ObjectSet, HelpUri = HelpPages.Folder + "Compare-SHBackup.md")]
[OutputType(typeof(BackupDifference))]
public sealed class CompareSHBackupCommand : DecryptingCommand, IConfigurationOptional
{
    private readonly StoreParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public CompareSHBackupCommand() => AddSource(storeParameters);

    /// <summary>
    /// The backup with the later state: as an object, wherever it is, so that a copy in a store can be compared with anything; or by its id, in the
    /// same backup directory or store.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [ValidateNotNullOrEmpty]
    public object? Difference { get; set; }

    /// <summary>The database file with the later state. Its application may be running.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DatabaseFileCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>
    /// Reads a database file that has names (hard links) outside its folder and no log beside this one. Use it only if no
    /// program writes to the file by another name. Without it, that is an error.
    /// </summary>
    [Parameter]
    public SwitchParameter AllowHardLink { get; set; }

    /// <summary>Compares only objects with these names: tables, and indexes, views and triggers by their own names. Wildcards match several.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TableCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Table { get; set; }

    /// <summary>Also emits objects without differences.</summary>
    [Parameter]
    public SwitchParameter IncludeEqual { get; set; }

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory and -IdentityFile.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (Difference is not null && Database is not null)
        {
            ThrowTerminatingError(BackupException.InvalidArgument(
                nameof(Database), "-Difference and -Database cannot be combined, because both give the later state. Give one of them.").ToRecord());
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var source in Selected(storeParameters, remote: NamedStores.Count > 0 || storeParameters is not { Provider: null, Container: null }))
        {
            this.ReportErrors(() => Compare(source));
        }
    }

    private void Compare(BackupSource source)
    {
        var backup = source.Backup;
        var later = Difference is null ? null : Later(source);
        var database = later is not null ? null
            : Database is not null ? this.FileSystemPath(Database)
            : backup.DatabasePath ?? throw new BackupException(
                BackupErrorId.DatabaseRequired, backup.Id,
                $"The backup '{backup.Id}' does not record its database. Give one with -Database, or another backup with -Difference.");
        var found = new List<BackupDifference>();
        Runner.Run(context => BackupEngine.Compare(source, later, database, AllowHardLink, IsWanted, found.Add, context));
        foreach (var missing in (Table ?? []).Where(table => !WildcardPattern.ContainsWildcardCharacters(table)
            && !found.Exists(difference => TablePattern.Matches(table, SqliteName.Parse(difference.Name)))))
        {
            WriteError(new BackupException(
                BackupErrorId.TableNotFound, missing,
                $"There is no table '{missing}' in either state of '{backup.Id}', and no index, view or trigger. Without -Table, all are compared.")
                .ToRecord());
        }

        WriteObject(found.Where(difference => IncludeEqual || difference.Change != DifferenceKind.None), enumerateCollection: true);
    }

    private BackupSource Later(BackupSource source)
    {
        if (PipelineObject.Is(Difference, typeof(BackupMetadata)))
        {
            var backup = LanguagePrimitives.ConvertTo<BackupMetadata>(Difference);
            return backup.Location is null
                ? BackupSource.In(OpenDirectory(backup.BackupDirectory), backup)
                : InStore(backup, OpenStore(storeParameters, backup));
        }

        var id = CanonicalId(PipelineObject.Bare(Difference) as string ?? throw BackupException.InvalidArgument(
            nameof(Difference), "-Difference takes one backup, as Get-SHBackup emits it, or the id of one. Give one of them."));
        return source.Catalog.Store is { } store
            ? source with { Backup = Runner.Run(context => store.Get(id, context.Cancellation)) }
            : BackupSource.In(source.Catalog.Home, source.Catalog.Home.Get(id));
    }

    private bool IsWanted(SqliteName name) => Table is null || Array.Exists(Table, pattern => TablePattern.Matches(pattern, name));
}
