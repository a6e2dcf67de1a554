using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Cloud;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets share that take backups: as objects, by id, or as files.</summary>
public abstract class StoredBackupCommand : BackupCommand
{
    /// <summary>The parameter set for objects from the pipeline.</summary>
    protected const string ObjectSet = "Object";

    /// <summary>The parameter set for ids.</summary>
    protected const string IdSet = "Id";

    /// <summary>
    /// Backups, as Get-SHBackup and New-SHBackup emit them. They are looked for in the directory that they were found in.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ObjectSet)]
    [Kind(typeof(BackupMetadata))]
    [ValidateNotNull]
    public BackupMetadata[] InputObject { get; set; } = [];

    /// <summary>
    /// Ids of backups, such as backup_20261122_020000_123456. Wildcards match several, but not in what comes through the
    /// pipeline: data of a file must not name more than it says. Tab completes them.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [ArgumentCompleter(typeof(BackupIdCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupMetadata))]
    [ValidateNotNullOrEmpty]
    public string[] Id { get; set; } = [];

    /// <summary>The object store that the backups are in, as those that Get-SHBackup -Remote lists state it. Without it, they are here.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [FromProperty(typeof(CloudLocation), "A text alone does not say how to reach an object store: pass ids, and name the store with -Provider and -Container.")]
    public CloudLocation? Location { get; set; }

    /// <summary>How questions name a backup.</summary>
    private protected static string Named(BackupMetadata backup) =>
        string.IsNullOrEmpty(backup.DatabasePath) ? backup.Id : $"{backup.Id} of {backup.DatabasePath}";

    /// <summary>The backups that the current input names, each with its directory; what is not found is written as an error.</summary>
    private protected IEnumerable<(BackupMetadata Backup, BackupDirectory Directory)> Selected()
    {
        if (ParameterSetName == ObjectSet)
        {
            foreach (var backup in InputObject)
            {
                BackupDirectory? directory = null;
                ForItem(() => directory = OpenDirectory(backup.BackupDirectory));
                if (directory is not null)
                {
                    yield return (backup, directory);
                }
            }

            yield break;
        }

        if (Id.Length == 0)
        {
            // Taken as backups in an object store: the directory that they state is none of the file system's.
            yield break;
        }

        var directories = ForCall(OpenDirectories);
        foreach (var id in Id)
        {
            var isUsable = false;
            ForItem(() =>
            {
                _ = IdPattern(id);
                isUsable = true;
            });
            foreach (var (backup, directory) in isUsable ? Find(directories, id) : [])
            {
                yield return (backup, directory);
            }
        }
    }

    /// <summary>The backups in object stores that the current input names; what is not found is written as an error.</summary>
    private protected IEnumerable<(BackupMetadata Backup, RemoteCatalog Remote)> SelectedRemote(CloudParameters cloud)
    {
        if (ParameterSetName == IdSet && (Location ?? ForCall(() => Places(cloud).NamedOrOnly)) is { } location)
        {
            var place = ForCall(() => OpenRemote(cloud, location));
            return Id.SelectMany(id => Find(place, id)).Select(backup => (backup, place));
        }

        // Known here, with a copy elsewhere.
        return InTheirPlaces(ParameterSetName == IdSet ? [.. Selected().Select(found => found.Backup)] : InputObject, cloud);
    }

    /// <summary>Takes what the current input names in object stores; the rest is left for <see cref="Selected"/>.</summary>
    private protected IReadOnlyList<(BackupMetadata Backup, RemoteCatalog Remote)> TakeRemote(CloudParameters cloud)
    {
        if (ParameterSetName == IdSet)
        {
            IReadOnlyList<(BackupMetadata, RemoteCatalog)> named = Location is null ? [] : [.. SelectedRemote(cloud)];
            Id = Location is null ? Id : [];
            return named;
        }

        var there = Array.FindAll(InputObject, backup => backup.Location is not null);
        InputObject = [.. InputObject.Except(there)];
        return [.. InTheirPlaces(there, cloud)];
    }

    private IEnumerable<(BackupMetadata Backup, RemoteCatalog Remote)> InTheirPlaces(IEnumerable<BackupMetadata> backups, CloudParameters cloud)
    {
        foreach (var backup in backups)
        {
            RemoteCatalog? remote = null;
            ForItem(() => remote = OpenRemote(cloud, backup));
            if (remote is not null)
            {
                yield return (backup, remote);
            }
        }
    }

    private protected IReadOnlyList<BackupMetadata> Find(RemoteCatalog remote, string id)
    {
        IReadOnlyList<BackupMetadata> found = [];
        ForItem(() =>
        {
            found = IdPattern(id) is { } pattern
                ? [.. ListRemote(remote).Where(backup => pattern.IsMatch(backup.Id))]
                : [RunOperation(context => remote.Get(Stored(id), context.Cancellation))];
        });
        return found;
    }

    /// <summary>Finds what an id names in several directories; the first that has it counts, and wildcards match in all.</summary>
    private IEnumerable<(BackupMetadata Backup, BackupDirectory Directory)> Find(IReadOnlyList<BackupDirectory> directories, string id) =>
        (WildcardPattern.ContainsWildcardCharacters(id) ? directories : [directories.FirstOrDefault(directory => directory.Has(Stored(id))) ?? directories[0]])
            .SelectMany(directory => Find(directory, id).Select(backup => (backup, directory)));

    private protected IReadOnlyList<BackupMetadata> Find(BackupDirectory directory, string id)
    {
        IReadOnlyList<BackupMetadata> found = [];
        ForItem(() =>
        {
            found = IdPattern(id) is { } pattern
                ? [.. List(directory).Where(backup => pattern.IsMatch(backup.Id))]
                : [directory.Get(Stored(id))];
        });
        return found;
    }
}
