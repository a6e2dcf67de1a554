using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Transfer;

/// <summary>
/// Tries what backups need a store for, with one small object under the store's prefix: its name is random and no backup's, so that
/// nothing else is touched.
/// </summary>
internal static class StoreTrial
{
    private const string Beginning = "shbackup-trial-";

    /// <summary>Tries a store. What does not work is a failed check, not an error; what cannot be tried after that is left out.</summary>
    /// <param name="store">The store.</param>
    /// <param name="create">Whether a missing bucket, container or folder is created.</param>
    /// <param name="context">Cancellation.</param>
    /// <returns>The checks, and the error behind the first failed one that matters for backups: any but Delete.</returns>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static (IReadOnlyList<StoreCheck> Checks, BackupException? Fault) Run(StoreCatalog store, bool create, OperationContext context) =>
        RunAsync(store.Store, create, context.Cancellation).GetAwaiter().GetResult();

    private static async Task<(IReadOnlyList<StoreCheck> Checks, BackupException? Fault)> RunAsync(
        IObjectStore store, bool create, CancellationToken cancellation)
    {
        var checks = new List<StoreCheck>();
        BackupException? fault = null;
        var name = Beginning + Guid.NewGuid().ToString("N");
        var content = Guid.NewGuid().ToByteArray();
        ObjectInfo? written = null;
        try
        {
            await TryAllAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (written is not null)
        {
            _ = await store.DeleteAsync(name, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        return (checks, fault);

        async Task TryAllAsync()
        {
            if (!await TryAsync(StoreAction.Reach, () => store.RequireContainerAsync(create, cancellation)).ConfigureAwait(false))
            {
                return;
            }

            _ = await TryAsync(StoreAction.Write, WriteAsync).ConfigureAwait(false);
            if (written is not null)
            {
                _ = await TryAsync(StoreAction.Read, () => ReadAsync(written)).ConfigureAwait(false);
            }

            _ = await TryAsync(StoreAction.List, ListAsync).ConfigureAwait(false);
            if (written is not null)
            {
                _ = await TryAsync(StoreAction.Delete, () => store.DeleteAsync(name, cancellation)).ConfigureAwait(false);
            }
        }

        async Task<bool> TryAsync(StoreAction action, Func<Task> attempt)
        {
            try
            {
                await attempt().ConfigureAwait(false);
                checks.Add(new StoreCheck(action, true, null));
                return true;
            }
            catch (BackupException exception)
            {
                checks.Add(new StoreCheck(action, false, exception.Message));
                fault ??= action == StoreAction.Delete ? null : exception;
                return false;
            }
        }

        async Task WriteAsync() => written = await store.PutAsync(
            name, content, ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums), replaces: null, cancellation).ConfigureAwait(false);

        async Task ReadAsync(ObjectInfo version)
        {
            var found = new byte[content.Length];
            await store.ReadAsync(version, 0, found, cancellation).ConfigureAwait(false);
            if (!found.AsSpan().SequenceEqual(content))
            {
                throw new BackupException(
                    BackupErrorId.CloudChecksumMismatch, store.UrlOf(name),
                    $"The store returned other bytes for '{store.UrlOf(name)}' than were written a moment before. Do not keep backups there until its operator has found the cause.");
            }
        }

        async Task ListAsync()
        {
            var isListed = false;
            await foreach (var listed in store.ListAsync(Beginning, cancellation).ConfigureAwait(false))
            {
                isListed |= listed.Name == name;
            }

            if (written is not null && !isListed)
            {
                throw new BackupException(
                    BackupErrorId.CloudObjectNotFound, store.UrlOf(name),
                    $"The store does not list '{store.UrlOf(name)}', which was written a moment before. A listing there would miss backups.");
            }
        }
    }
}
