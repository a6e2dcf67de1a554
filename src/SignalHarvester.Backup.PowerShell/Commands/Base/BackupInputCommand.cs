using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that take backups: as objects, by id, or as files.</summary>
public abstract class BackupInputCommand : BackupCommand
{
    /// <summary>The parameter set for objects from the pipeline.</summary>
    protected const string ObjectSet = "Object";

    /// <summary>The parameter set for ids.</summary>
    protected const string IdSet = "Id";

    /// <summary>
    /// Backups, as Get-SHBackup and New-SHBackup emit them, in the directory that they name.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ObjectSet)]
    [Kind(typeof(BackupMetadata))]
    [ValidateNotNull]
    public BackupMetadata[] InputObject { get; set; } = [];

    /// <summary>
    /// Ids of backups, such as backup_20261122_020000_123456. Wildcards match several, but not in pipeline input, so that a
    /// file cannot select more than it names. Tab completes them.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupMetadata))]
    [ValidateNotNullOrEmpty]
    public virtual string[] Id { get; set; } = [];

    /// <summary>The object store of the backups, as Get-SHBackup -Remote emits it. Without it, the backups are on this machine.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [FromProperty(typeof(StoreLocation), "A text alone is not enough to reach an object store: pass ids, and give the store with -Provider and -Container.")]
    public StoreLocation? Location { get; set; }

    /// <summary>Returns a backup's name for questions.</summary>
    private protected static string Named(BackupMetadata backup) =>
        string.IsNullOrEmpty(backup.DatabasePath) ? backup.Id : $"{backup.Id} of {backup.DatabasePath}";

    /// <summary>Whether there was any input, on the command line or through the pipeline.</summary>
    private protected bool HasInput { get; set; }

    /// <summary>
    /// Warns about a pipeline without any input: somebody who restores or verifies "the newest verified backup" must not take silence
    /// for success if there is no such backup.
    /// </summary>
    private protected void WarnOfNoInput(string consequence)
    {
        if (MyInvocation.ExpectingInput && !HasInput)
        {
            WriteWarning($"No backup came through the pipeline, so {consequence}. List the backups with Get-SHBackup, without filters.");
        }
    }

    /// <summary>Finds the backups of this machine in the current input; a missing one, or one elsewhere, is written as an error.</summary>
    private protected IEnumerable<BackupSource> SelectedHere() => ParameterSetName == ObjectSet
        ? Opened(InputObject, backup => BackupSource.In(OpenDirectory(backup.BackupDirectory), backup))
        : FindHere();

    /// <summary>Finds the backups in the current input, wherever they are; a missing one is written as an error.</summary>
    /// <param name="parameters">The parameters of the object store.</param>
    /// <param name="remote">Whether the input means copies in object stores, even for backups of this machine.</param>
    private protected IEnumerable<BackupSource> Selected(StoreParameters parameters, bool remote)
    {
        if (ParameterSetName == ObjectSet)
        {
            return Opened(InputObject, backup => remote || backup.Location is not null
                ? InStore(backup, OpenStore(parameters, backup))
                : BackupSource.In(OpenDirectory(backup.BackupDirectory), backup));
        }

        if (this.StopOnError(() => (remote ? Stores(parameters).Named : null) ?? Location ?? (remote ? Stores(parameters).NamedOrOnly : null)) is { } location)
        {
            var store = this.StopOnError(() => OpenStore(parameters, location));
            return Opened(Id.SelectMany(id => Find(store, id)), backup => InStore(backup, store));
        }

        // A backup of this machine, with a copy elsewhere.
        return remote ? Opened(FindHere(), found => InStore(found.Backup, OpenStore(parameters, found.Backup))) : FindHere();
    }

    /// <summary>Finds backups by the paths of their files; any other file is written as an error.</summary>
    /// <param name="paths">The paths.</param>
    /// <param name="remote">Whether -Remote was given, which does not apply to files.</param>
    private protected IEnumerable<BackupSource> Files(string[] paths, bool remote) => remote
        ? this.StopOnError<IEnumerable<BackupSource>>(() => throw BackupException.InvalidArgument(
            "LiteralPath", "-LiteralPath names a file on this machine, and -Remote a copy in an object store. Give one of them."))
        : Opened(paths, path => BackupFileLookup.Find(this.FileSystemPath(path), OpenDirectory, TimeProvider.System));

    /// <summary>Makes the source of a backup in a store, with the backup directory of this machine that belongs to it.</summary>
    private protected BackupSource InStore(BackupMetadata backup, StoreCatalog store) => new(backup, BackupCatalog.Of(store, OpenHome(backup)));

    /// <summary>Lists the backups of a database, newest first, on this machine or in a store.</summary>
    /// <param name="database">The database, as -Database names it; null for all.</param>
    /// <param name="parameters">The parameters of the object store.</param>
    /// <param name="remote">Whether the store is meant.</param>
    /// <returns>The backups, and the store; null for those of this machine.</returns>
    private protected (IReadOnlyList<BackupMetadata> Backups, StoreCatalog? Store) ListedOf(string? database, StoreParameters parameters, bool remote)
    {
        var store = remote ? this.StopOnError(() => OpenStore(parameters)) : null;
        var databases = Databases(database is null ? null : [database]);
        return this.StopOnError(() => (
            (IReadOnlyList<BackupMetadata>)[.. (store is null ? List(OpenDirectories()) : List(store)).Where(backup => databases.Passes(backup.DatabasePath))],
            store));
    }

    /// <summary>Makes the source of a listed backup.</summary>
    private protected BackupSource Located(BackupMetadata listed, StoreCatalog? store) =>
        store is null ? BackupSource.In(OpenConfigured(listed.BackupDirectory), listed) : InStore(listed, store);

    /// <summary>Finds the backup for a moment, says which one it is, and warns of what may make it another than the user expects.</summary>
    /// <exception cref="BackupException">NoBackupAtMoment, DatabaseAmbiguous.</exception>
    private protected BackupMetadata AtMoment(IEnumerable<BackupMetadata> backups, DateTimeOffset moment)
    {
        var backup = PointInTime.Find(
            backups,
            moment,
            skipped => WriteWarning(
                $"Skipping the nearer backup '{skipped.Id}': it failed its verification, contains a damaged database or only a log, or has a broken chain."),
            (found, before) => WriteWarning(string.Create(
                CultureInfo.InvariantCulture,
                $"'{before.Id}' is dated {before.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, although it was made before '{found.Id}': the clock was wrong for one of them. Compare both with Get-SHBackup if this is not the state that you expect.")),
            TimeProvider.System.GetUtcNow());
        var said = string.Create(
            CultureInfo.InvariantCulture,
            $"'{backup.Id}' of {backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC is the newest backup at or before {moment.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {BackupAge.Between(backup.Timestamp, moment)} before it.");
        WriteInformation(new HostInformationMessage { Message = said }, ["PSHOST"]);
        return backup;
    }

    private IEnumerable<BackupSource> Opened<T>(IEnumerable<T> items, Func<T, BackupSource> open)
    {
        foreach (var item in items)
        {
            BackupSource? opened = null;
            this.ReportErrors(() => opened = open(item));
            if (opened is not null)
            {
                yield return opened;
            }
        }
    }

    private IEnumerable<BackupSource> FindHere()
    {
        var directories = this.StopOnError(OpenDirectories);
        foreach (var id in Id)
        {
            var isUsable = false;
            this.ReportErrors(() =>
            {
                _ = IdPattern(id);
                isUsable = true;
            });
            foreach (var found in isUsable ? Find(directories, id) : [])
            {
                yield return found;
            }
        }
    }

    private protected IReadOnlyList<BackupMetadata> Find(StoreCatalog store, string id)
    {
        IReadOnlyList<BackupMetadata> found = [];
        this.ReportErrors(() =>
        {
            found = IdPattern(id) is { } pattern
                ? [.. List(store).Where(backup => pattern.IsMatch(backup.Id))]
                : [Runner.Run(context => store.Get(CanonicalId(id), context.Cancellation))];
        });
        return found;
    }

    /// <summary>Finds the backups of an id in several directories: the first directory with that id counts, and wildcards match in all.</summary>
    private IEnumerable<BackupSource> Find(IReadOnlyList<BackupDirectory> directories, string id) =>
        (WildcardPattern.ContainsWildcardCharacters(id)
            ? directories
            : [directories.FirstOrDefault(directory => directory.Has(CanonicalId(id))) ?? directories[0]])
            .SelectMany(directory => Find(directory, id).Select(backup => BackupSource.In(directory, backup)));

    private protected IReadOnlyList<BackupMetadata> Find(BackupDirectory directory, string id)
    {
        IReadOnlyList<BackupMetadata> found = [];
        this.ReportErrors(() =>
        {
            found = IdPattern(id) is { } pattern
                ? [.. List(directory).Where(backup => pattern.IsMatch(backup.Id))]
                : [directory.Get(CanonicalId(id))];
        });
        return found;
    }
}
