using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>
/// Removes copies from an object store, and only from there, beginning with those that build on others. The sidecar goes first,
/// so that the copy no longer counts as a backup, then its file. Nothing is folded in a store, so a copy on which others build
/// stays.
/// </summary>
internal static class RemoveCopies
{
    /// <summary>Removes copies.</summary>
    /// <param name="ids">The backups' ids.</param>
    /// <param name="store">The store.</param>
    /// <param name="homes">The backup directories that record a copy, by its id. Their records of it are removed too.</param>
    /// <param name="removed">Called for each copy that was removed.</param>
    /// <param name="failed">Called for each copy that could not be removed, with the reason.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="BackupException">The Cloud… errors of listing.</exception>
    /// <exception cref="OperationCanceledException">It was stopped between two backups.</exception>
    public static void Run(
        IReadOnlyCollection<string> ids,
        StoreCatalog store,
        Func<string, IEnumerable<BackupDirectory>> homes,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        OperationContext context)
    {
        foreach (var home in ids.SelectMany(homes).DistinctBy(home => home.Path, StringComparer.Ordinal))
        {
            store.RefuseHome(home);
        }

        var listed = store.List(context.Cancellation).Backups;
        var byId = listed.ToDictionary(backup => backup.Id, StringComparer.Ordinal);
        var children = listed.Where(backup => BackupChain.IsIncrement(backup) && backup.ParentId is not null)
            .ToLookup(backup => backup.ParentId!, backup => backup.Id);
        var open = ids.ToHashSet(StringComparer.Ordinal);
        var gone = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in open.OrderByDescending(id => byId.GetValueOrDefault(id)?.Depth ?? int.MaxValue)
            .ThenByDescending(id => id, StringComparer.Ordinal).ToList())
        {
            context.Cancellation.ThrowIfCancellationRequested();
            try
            {
                var dependants = children[id].Where(child => !gone.Contains(child) && !open.Contains(child)).ToList();
                removed(dependants.Count == 0 ? RemoveAsync(id, store, context).GetAwaiter().GetResult() : throw HasDependants(id, dependants));
                gone.Add(id);
                foreach (var home in homes(id).DistinctBy(home => home.Path, StringComparer.Ordinal))
                {
                    Forget(id, store, home, context);
                }
            }
            catch (BackupException exception)
            {
                open.Remove(id);
                failed(exception);
            }
        }
    }

    private static async Task<BackupMetadata> RemoveAsync(string id, StoreCatalog store, OperationContext context)
    {
        var found = await store.FindAsync(id, context.Cancellation).ConfigureAwait(false) ?? throw new BackupException(
            BackupErrorId.BackupNotFound, id, $"There is no backup '{id}' in '{store.Location}'. List the backups there with Get-SHBackup -Remote.");
        var whole = await DeleteAsync(store.Store, id + BackupFileName.SidecarSuffix, context.Cancellation).ConfigureAwait(false)
            & await DeleteAsync(store.Store, found.FileName, context.Cancellation).ConfigureAwait(false);
        if (!whole)
        {
            context.Warn(
                $"'{id}' is removed from '{store.Location}', which keeps its former versions: they can be restored there, and take space until its own rules delete them.");
        }

        return found.Backup;
    }

    private static async Task<bool> DeleteAsync(IObjectStore store, string name, CancellationToken cancellation)
    {
        var whole = await store.DeleteAsync(name, cancellation).ConfigureAwait(false);

        // The store's confirmation alone is not proof.
        return await store.FindAsync(name, cancellation).ConfigureAwait(false) is null
            ? whole
            : throw new BackupException(
                BackupErrorId.CloudObjectKept, name,
                $"'{store.Location}' reported '{name}' as deleted, but still has it. Check for a retention policy or a lock there, and remove it again.");
    }

    private static void Forget(string id, StoreCatalog store, BackupDirectory home, OperationContext context)
    {
        try
        {
            if (!Directory.Exists(home.Path) || home.TryGet(id) is not { } here || !here.Copies.Any(IsThere))
            {
                return;
            }

            if (!home.TryUpdate(
                here, current => current with { Copies = [.. current.Copies.Where(copy => !IsThere(copy))] }, schemaChecksum: null, context.Cancellation))
            {
                context.Warn($"The copy of '{id}' was removed, but '{home.Path}' cannot be written to and still lists it.");
            }
        }
        catch (BackupException exception)
        {
            context.Warn($"The copy of '{id}' was removed, but that could not be recorded in '{home.Path}': {exception.Message}");
        }

        bool IsThere(BackupCopy copy) => copy.IsIn(store.Location);
    }

    private static BackupException HasDependants(string id, List<string> dependants) => new(
        BackupErrorId.BackupHasDependants, id,
        $"'{id}' was not removed, because {string.Join(", ", dependants)} cannot be restored from there without it, and nothing is folded in an object store. Remove those as well (-Cascade), or send a full backup and remove the whole old chain.");
}
