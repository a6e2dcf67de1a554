using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows what changed between two backups, or between a backup and the live database.</summary>
/// <remarks>
/// <para>Tells for each table how many rows were added, removed and changed, and for each table, index, view and trigger
/// whether it is new, gone, or defined otherwise. Without -Difference and -Database, the later state is the database that the
/// backup was made from, as it is now; its writers are not kept waiting.</para>
/// <para>Rows go by their primary key, or by their rowid where there is none or where it holds NULLs, and are compared by bytes
/// and by kind of value. VACUUM may give rows other rowids, and then they show as changed. Columns that one state alone has
/// are not compared, and Detail says so. Keys in an order that only the application knows (a collation of its own) go by their
/// bytes. A table that cannot be compared has the change Unknown, and Detail says why; the others are compared.</para>
/// <para>Both states are restored to a private temporary place for it, which takes the room of both databases, and deleted.</para>
/// </remarks>
/// <example>
/// <para>See what changed since the newest backup</para>
/// <code>New-SHBackup ./app.db | Compare-SHBackup -IncludeEqual</code>
/// <para>Without -IncludeEqual, what does not differ is left out.</para>
/// </example>
/// <example>
/// <para>See what changed between two backups</para>
/// <code>$one = New-SHBackup ./app.db; $two = New-SHBackup ./app.db; Compare-SHBackup $one -Difference $two -IncludeEqual -Table customer</code>
/// <para>The first is the earlier state, whatever their ages are.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsData.Compare, "SHBackup", DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupDifference))]
public sealed class CompareSHBackupCommand : DecryptingCommand, IConfigurationOptional
{
    /// <summary>The backup that is the later state, as an object or by its id. It lies in the same backup directory.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Difference { get; set; }

    /// <summary>The database file that is the later state. Its application may be running.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Database { get; set; }

    /// <summary>
    /// Reads a database file that has names (hard links) outside its folder, although there is no log beside this one: no
    /// program writes to it by another name. Without it, that is an error.
    /// </summary>
    [Parameter]
    public SwitchParameter AllowHardLink { get; set; }

    /// <summary>Looks at objects of these names alone: tables, and indexes, views and triggers by their own names. Wildcards match several.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TableCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Table { get; set; }

    /// <summary>Emits what does not differ too.</summary>
    [Parameter]
    public SwitchParameter IncludeEqual { get; set; }

    /// <summary>
    /// Looks at neither the configuration file nor the SHBACKUP_ environment variables, so that a mistake in them is in nobody's
    /// way: what is needed is given by parameters, such as -BackupDirectory and -IdentityFile.
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
                nameof(Database), "-Difference and -Database exclude each other: there is one later state. Give one of them.").ToRecord());
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in SelectedHere())
        {
            this.ReportErrors(() => Compare(backup, directory));
        }
    }

    private void Compare(BackupMetadata backup, BackupDirectory directory)
    {
        var later = Difference is null ? null : BackupSource.In(directory, directory.Get(CanonicalId(Difference)));
        var database = later is not null ? null
            : Database is not null ? this.FileSystemPath(Database)
            : backup.DatabasePath ?? throw new BackupException(
                BackupErrorId.DatabaseRequired, backup.Id, $"The backup '{backup.Id}' does not say which database it was made from. Give one with -Database, or another backup with -Difference.");
        var found = new List<BackupDifference>();
        Runner.Run(context => BackupEngine.Compare(BackupSource.In(directory, backup), later, database, AllowHardLink, IsWanted, found.Add, context));
        WriteObject(found.Where(difference => IncludeEqual || difference.Change != DifferenceKind.None), enumerateCollection: true);
    }

    private bool IsWanted(SqliteName name) => Table is null || Array.Exists(Table, pattern => TablePattern.Matches(pattern, name));
}
