using System.Collections.Concurrent;
using System.Globalization;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The backups in an object store. It holds the same files and sidecars as a backup directory, under the same names, and
/// its own sidecars are the truth: listing and restoring need nothing on this machine.
/// </summary>
public sealed class StoreCatalog : IDisposable
{
    private const string IdBeginning = "backup_";
    private const int MostReadsAtOnce = 16;

    private readonly TimeProvider clock;

    /// <summary>Names a place, without contacting it.</summary>
    /// <param name="location">The place.</param>
    /// <param name="options">Its options.</param>
    /// <param name="clock">The clock for ages.</param>
    /// <exception cref="BackupException">InvalidArgument: the location is not valid.</exception>
    public StoreCatalog(StoreLocation location, StoreOptions options, TimeProvider clock)
        : this(ObjectStores.Open(location, options), clock)
    {
    }

    internal StoreCatalog(IObjectStore store, TimeProvider clock)
    {
        Store = store;
        this.clock = clock;
    }

    /// <summary>The place.</summary>
    public StoreLocation Location => Store.Location;

    internal IObjectStore Store { get; }

    /// <summary>Refuses a folder that is the backup directory itself, by whatever name: its backups are no copies.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    internal void RefuseHome(BackupDirectory home)
    {
        if (Location.Provider != CloudProvider.Directory)
        {
            return;
        }

        var folder = Path.GetFullPath(Path.Combine(Location.Container, Location.Prefix)).TrimEnd(Path.DirectorySeparatorChar);
        var isHome = string.Equals(folder, home.Path, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)
            || (!OperatingSystem.IsWindows() && FileIdentity.Of(folder) is { } identity && identity == FileIdentity.Of(home.Path));
        if (isHome)
        {
            throw BackupException.InvalidArgument(
                folder, $"'{folder}' is the backup directory itself, and a copy there would be the backup. Give a folder on another disk or machine.");
        }
    }

    /// <summary>Makes sure that the bucket or container exists, and that a backup's name fits after the prefix.</summary>
    /// <param name="create">Whether a missing one is created.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">InvalidArgument: the prefix is too long. CloudContainerNotFound and the other Cloud… errors.</exception>
    public void RequireContainer(bool create, CancellationToken cancellation)
    {
        KeyPrefix.RequireRoom(Location);
        Store.RequireContainerAsync(create, cancellation).GetAwaiter().GetResult();
    }

    /// <summary>Lists all backups, newest first. An unusable sidecar, or one without its file, is a fault of its own.</summary>
    /// <exception cref="BackupException">The Cloud… errors: a failed listing is never an empty one.</exception>
    public CatalogListing List(CancellationToken cancellation) => ListAsync(cancellation).GetAwaiter().GetResult();

    /// <summary>Finds one backup by its id, with the number of increments below it.</summary>
    /// <exception cref="BackupException">BackupNotFound, SidecarInvalid, SidecarHostile, and the Cloud… errors.</exception>
    public BackupMetadata Get(string id, CancellationToken cancellation)
    {
        var found = FindAsync(id, cancellation).GetAwaiter().GetResult() ?? throw NotFound(id);
        try
        {
            return found.Backup with { Depth = Chain(found, cancellation).Count - 1 };
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.ChainBroken)
        {
            // An operation that needs the chain reports what is wrong with it.
            return found.Backup;
        }
    }

    /// <summary>The backups that build on one, directly or through others, newest first.</summary>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public IReadOnlyList<BackupMetadata> Dependants(string id, CancellationToken cancellation) =>
        [.. BackupChain.Dependants(List(cancellation).Backups, [id]).NewestFirst()];

    /// <inheritdoc/>
    public void Dispose() => Store.Dispose();

    /// <summary>The chain of a backup, the full one first.</summary>
    /// <exception cref="BackupException">ChainBroken, BackupNotFound, SidecarInvalid, SidecarHostile, and the Cloud… errors.</exception>
    internal IReadOnlyList<StoreBackup> Chain(string id, CancellationToken cancellation) =>
        Chain(FindAsync(id, cancellation).GetAwaiter().GetResult() ?? throw NotFound(id), cancellation);

    /// <summary>Finds one backup; null if there is none.</summary>
    /// <exception cref="BackupException">SidecarInvalid, SidecarHostile, and the Cloud… errors.</exception>
    internal async Task<StoreBackup?> FindAsync(string id, CancellationToken cancellation) =>
        BackupFileName.IsId(id) && await Store.FindAsync(id + BackupFileName.SidecarSuffix, cancellation).ConfigureAwait(false) is { } sidecar
            ? await ReadAsync(sidecar, cancellation).ConfigureAwait(false)
            : null;

    private List<StoreBackup> Chain(StoreBackup tip, CancellationToken cancellation)
    {
        var found = new Dictionary<string, StoreBackup>(StringComparer.Ordinal) { [tip.Backup.Id] = tip };
        var links = BackupChain.Resolve(tip.Backup, id =>
        {
            if (FindAsync(id, cancellation).GetAwaiter().GetResult() is not { } parent)
            {
                return null;
            }

            found[id] = parent;
            return parent.Backup;
        });
        return [.. links.Select(link => found[link.Id])];
    }

    /// <summary>
    /// Lists what is wanted of each usable backup, by the version of its sidecar. A sidecar that is known from an earlier listing is not read again. The
    /// others are left out: <see cref="List"/> tells what is wrong with them.
    /// </summary>
    /// <param name="summarize">Picks what is wanted.</param>
    /// <param name="known">The result of an earlier listing.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">The Cloud… errors: a failed listing is never an empty one.</exception>
    internal async Task<IReadOnlyDictionary<ObjectInfo, StoreSummary<T>>> SummarizeAsync<T>(
        Func<BackupMetadata, T> summarize, IReadOnlyDictionary<ObjectInfo, StoreSummary<T>> known, CancellationToken cancellation)
    {
        var objects = await ObjectsAsync(cancellation).ConfigureAwait(false);
        var found = new ConcurrentDictionary<ObjectInfo, StoreSummary<T>>();
        await ForEachSidecarAsync(objects, async (sidecar, stopping) =>
        {
            var summary = known.GetValueOrDefault(sidecar)
                ?? (await ReadListedAsync(sidecar, stopping).ConfigureAwait(false) is { } remote
                    ? new StoreSummary<T>(remote.FileName, remote.Backup.Size, summarize(remote.Backup))
                    : null);
            if (summary is not null && objects.GetValueOrDefault(summary.FileName)?.Length == summary.Size)
            {
                found[sidecar] = summary;
            }
        }, static _ => { }, cancellation).ConfigureAwait(false);
        return found;
    }

    private async Task<CatalogListing> ListAsync(CancellationToken cancellation)
    {
        var objects = await ObjectsAsync(cancellation).ConfigureAwait(false);
        var found = new ConcurrentBag<BackupMetadata>();
        var faults = new ConcurrentBag<BackupException>();
        await ForEachSidecarAsync(objects, async (sidecar, stopping) =>
        {
            if (await ReadListedAsync(sidecar, stopping).ConfigureAwait(false) is { } remote)
            {
                RequireFile(remote, objects);
                found.Add(remote.Backup);
            }
        }, faults.Add, cancellation).ConfigureAwait(false);
        return new CatalogListing(
            [.. BackupChain.WithDepths(found).NewestFirst()],
            [.. faults.OrderBy(fault => fault.Target as string, StringComparer.Ordinal)]);
    }

    private async Task<Dictionary<string, ObjectInfo>> ObjectsAsync(CancellationToken cancellation)
    {
        var objects = new Dictionary<string, ObjectInfo>(StringComparer.Ordinal);
        await foreach (var item in Store.ListAsync(IdBeginning, cancellation).ConfigureAwait(false))
        {
            objects[item.Name] = item;
        }

        return objects;
    }

    /// <param name="objects">What was listed.</param>
    /// <param name="use">Uses a sidecar.</param>
    /// <param name="fault">Called for a backup that cannot be used.</param>
    /// <param name="cancellation">Stops it.</param>
    private static Task ForEachSidecarAsync(
        Dictionary<string, ObjectInfo> objects, Func<ObjectInfo, CancellationToken, Task> use, Action<BackupException> fault, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            objects.Values.Where(item => BackupFileName.IsSidecar(item.Name)),
            new ParallelOptions { MaxDegreeOfParallelism = MostReadsAtOnce, CancellationToken = cancellation },
            async (sidecar, stopping) =>
            {
                try
                {
                    await use(sidecar, stopping).ConfigureAwait(false);
                }
                catch (BackupException exception) when (IsOfOneBackup(exception))
                {
                    fault(exception);
                }
            });

    /// <summary>An error of access or of the network ends the listing: otherwise a part would look like the whole.</summary>
    private static bool IsOfOneBackup(BackupException exception) => exception.ErrorId is BackupErrorId.SidecarInvalid
        or BackupErrorId.SidecarHostile or BackupErrorId.BackupFileMissing or BackupErrorId.BackupSizeMismatch;

    private async Task<StoreBackup?> ReadListedAsync(ObjectInfo sidecar, CancellationToken cancellation)
    {
        try
        {
            return await ReadAsync(sidecar, cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudObjectChanged or BackupErrorId.CloudObjectNotFound)
        {
            // Rewritten or removed since the names were listed.
            return await Store.FindAsync(sidecar.Name, cancellation).ConfigureAwait(false) is { } now
                ? await ReadAsync(now, cancellation).ConfigureAwait(false)
                : null;
        }
    }

    private async Task<StoreBackup> ReadAsync(ObjectInfo sidecar, CancellationToken cancellation)
    {
        var id = sidecar.Name[..^BackupFileName.SidecarSuffix.Length];
        if (sidecar.Length > Sidecar.LargestBytes)
        {
            throw new BackupException(
                BackupErrorId.SidecarInvalid, Store.UrlOf(sidecar.Name),
                $"The sidecar '{Store.UrlOf(sidecar.Name)}' cannot be used: it is too large for a sidecar. Delete it, or send the backup again.");
        }

        var json = new byte[sidecar.Length];
        await Store.ReadAsync(sidecar, 0, json, cancellation).ConfigureAwait(false);
        var backup = Sidecar.Read(json, id, Location.ToString(), clock);
        var file = Path.GetFileName(backup.BackupPath);
        return new StoreBackup(
            backup with { BackupPath = Store.UrlOf(file), BackupDirectory = Location.ToString(), Location = Location }, json, sidecar, file);
    }

    private static void RequireFile(StoreBackup remote, Dictionary<string, ObjectInfo> objects)
    {
        var backup = remote.Backup;
        if (!objects.TryGetValue(remote.FileName, out var file))
        {
            throw new BackupException(
                BackupErrorId.BackupFileMissing, backup.Id,
                $"The file '{backup.BackupPath}' of backup '{backup.Id}' is missing in the store. Send the backup again, or remove the entry with Remove-SHBackup -Remote.");
        }

        if (file.Length != backup.Size)
        {
            throw new BackupException(
                BackupErrorId.BackupSizeMismatch, backup.Id, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The file '{backup.BackupPath}' of backup '{backup.Id}' has {file.Length} bytes in the store, but {backup.Size} were recorded. It is not listed; send the backup again under another -Prefix."));
        }
    }

    private BackupException NotFound(string id) => new(
        BackupErrorId.BackupNotFound, id, $"There is no backup '{id}' in '{Location}'. List the backups there with Get-SHBackup -Remote.");
}
