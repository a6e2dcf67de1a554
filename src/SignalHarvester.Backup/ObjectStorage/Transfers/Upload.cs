using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>
/// Sends a file: it is read in order, hashed, and sent in parts, several at once if the service allows it. Parts that certainly
/// arrived from an earlier process are not sent again. The object appears complete, at the end, and only if the file matches
/// its record.
/// </summary>
internal sealed class Upload(IObjectStore store, string name, SafeFileHandle file, string sha256, OperationContext context)
{
    private readonly long length = RandomAccess.GetLength(file);

    /// <summary>Sends the file, unless it is already there.</summary>
    /// <param name="journals">The folder for the journals with which another process can resume; null if nothing can be kept.</param>
    /// <param name="meter">Counts the arrived bytes, including the earlier ones.</param>
    /// <exception cref="BackupException">BackupChecksumMismatch: the file differs from its record; Cloud….</exception>
    public async Task<ObjectInfo> RunAsync(string? journals, ProgressMeter meter)
    {
        if (await FindSameAsync().ConfigureAwait(false) is { } existing)
        {
            await ForgetAsync(journals).ConfigureAwait(false);
            WarnOfLock(store, name, context);
            return existing;
        }

        try
        {
            return length <= store.PartSize(length)
                ? await PutWholeAsync(meter).ConfigureAwait(false)
                : await SendAsync(journals, meter).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudObjectExists or BackupErrorId.CloudUploadLost)
        {
            // It may be ours: somebody else sent the same file, or only the answer to our own request was lost.
            if (await FindSameAsync().ConfigureAwait(false) is { } made)
            {
                return made;
            }

            throw;
        }
    }

    /// <summary>Warns that this call did not lock an object that was already there, if a lock was requested.</summary>
    public static void WarnOfLock(IObjectStore store, string name, OperationContext context)
    {
        if (store.Options.ImmutableFor is not null)
        {
            context.Warn(
                $"'{name}' was in '{store.Location}' already, and its lock did not change: -ImmutableFor only locks new objects. To lock it, use the service's own tools.");
        }
    }

    private async Task<ObjectInfo?> FindSameAsync() => await store.FindAsync(name, context.Cancellation).ConfigureAwait(false) switch
    {
        null => null,
        { } found when found.Length == length && found.Sha256 == sha256 => found,
        _ => throw new StoreFault(store.Location).ObjectExists(name, null),
    };

    private async Task<ObjectInfo> SendAsync(string? journals, ProgressMeter meter)
    {
        using var journal = journals is null ? null : UploadJournal.Open(journals, store.UrlOf(name));
        var partSize = store.PartSize(length);
        var (uploadId, arrived) = await ResumeAsync(journal, partSize).ConfigureAwait(false)
            ?? await BeginAsync(journal, partSize).ConfigureAwait(false);
        try
        {
            var (parts, attributes) = await SendPartsAsync(uploadId, partSize, arrived, meter).ConfigureAwait(false);
            var made = await store.CompleteUploadAsync(name, uploadId, length, parts, attributes, context.Cancellation).ConfigureAwait(false);
            journal?.Delete();
            return made;
        }
        catch (Exception exception) when (journal is null || IsFinal(exception))
        {
            // Nothing that could be resumed.
            await AbandonAsync(uploadId, journal).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Cancels an upload, without hiding why.</summary>
    private async Task AbandonAsync(string uploadId, UploadJournal? journal)
    {
        try
        {
            await store.AbortUploadAsync(name, uploadId, CancellationToken.None).ConfigureAwait(false);
            journal?.Delete();
        }
        catch (BackupException exception)
        {
            context.Warn($"The arrived parts of '{name}' could not be removed. {exception.Message}");
        }
    }

    /// <summary>Cancels an earlier process's upload of an object that exists by now.</summary>
    private async Task ForgetAsync(string? journals)
    {
        if (journals is null || !UploadJournal.Exists(journals, store.UrlOf(name)))
        {
            return;
        }

        try
        {
            using var journal = UploadJournal.Open(journals, store.UrlOf(name));
            if (journal.Read() is { } record)
            {
                await AbandonAsync(record.UploadId, journal).ConfigureAwait(false);
            }
            else
            {
                journal.Delete();
            }
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudTransferInProgress)
        {
            // The process that made the object is about to do so itself.
        }
    }

    private static bool IsFinal(Exception exception) => exception is BackupException
    {
        ErrorId: BackupErrorId.BackupChecksumMismatch or BackupErrorId.CloudObjectExists or BackupErrorId.CloudChecksumMismatch
            or BackupErrorId.CloudUploadLost or BackupErrorId.CloudRefused,
    };

    private async Task<ObjectInfo> PutWholeAsync(ProgressMeter meter)
    {
        var content = new byte[length];
        Read(content, 0);
        var attributes = ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums);
        RequireRecorded(attributes.Sha256);
        var made = await store.PutAsync(name, content, attributes, replaces: null, context.Cancellation).ConfigureAwait(false);
        meter.MoveTo(length);
        return made;
    }

    private async Task<(string UploadId, IReadOnlyList<UploadedPart> Arrived)?> ResumeAsync(UploadJournal? journal, long partSize)
    {
        if (journal?.Read() is not { } record)
        {
            return null;
        }

        if (record.Sha256 == sha256 && record.Length == length && record.PartSize == partSize && record.Storage == store.Options.StorageFingerprint
            && await store.FindPartsAsync(name, record.UploadId, length, context.Cancellation).ConfigureAwait(false) is { } arrived)
        {
            context.Verbose(string.Create(
                System.Globalization.CultureInfo.InvariantCulture, $"Resuming an earlier upload of '{name}': {arrived.Count} part(s) are already there."));
            return (record.UploadId, arrived);
        }

        await store.AbortUploadAsync(name, record.UploadId, context.Cancellation).ConfigureAwait(false);
        return null;
    }

    private async Task<(string UploadId, IReadOnlyList<UploadedPart> Arrived)> BeginAsync(UploadJournal? journal, long partSize)
    {
        // The checksums of the whole are known at the end. Its recorded SHA-256 is compared with the file by then.
        var uploadId =
            await store.BeginUploadAsync(name, length, new ObjectAttributes(sha256, ObjectAttributes.BackupType), context.Cancellation).ConfigureAwait(false);
        journal?.Write(new UploadRecord(sha256, length, partSize, uploadId, store.Options.StorageFingerprint));
        return (uploadId, []);
    }

    private async Task<(IReadOnlyList<UploadedPart> Parts, ObjectAttributes Attributes)> SendPartsAsync(
        string uploadId, long partSize, IReadOnlyList<UploadedPart> arrived, ProgressMeter meter)
    {
        var known = arrived.ToDictionary(part => part.Number);
        var parts = new UploadedPart[(length + partSize - 1) / partSize];
        using var hash = new ContentHash(store.Checksums);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        using var free = new SemaphoreSlim(store.MostParallelParts);
        var sending = new List<Task>();
        var idle = new Stack<byte[]>();
        try
        {
            for (var index = 0; index < parts.Length; index++)
            {
                await free.WaitAsync(stopping.Token).ConfigureAwait(false);
                var buffer = Rent();
                var offset = index * partSize;
                var content = buffer.AsMemory(0, (int)Math.Min(partSize, length - offset));
                Read(content.Span, offset);
                hash.Append(content.Span);
                if (known.TryGetValue(index + 1, out var part) && store.Holds(part, content.Span))
                {
                    Arrived(index, part, buffer);
                    continue;
                }

                sending.RemoveAll(task => task.IsCompletedSuccessfully);
                sending.Add(SendPartAsync(index, offset, buffer, content));
            }

            await Task.WhenAll(sending).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Cancellation.ThrowIfCancellationRequested();

            // The original failure, not the cancellations that followed.
            if (exception is OperationCanceledException && sending.FirstOrDefault(task => task.IsFaulted)?.Exception?.InnerException is { } first)
            {
                ExceptionDispatchInfo.Throw(first);
            }

            throw;
        }

        RequireRecorded(hash.Sha256());
        return (parts, hash.Attributes(ObjectAttributes.BackupType));

        async Task SendPartAsync(int index, long offset, byte[] buffer, ReadOnlyMemory<byte> content)
        {
            try
            {
                Arrived(index, await store.PutPartAsync(name, uploadId, index + 1, offset, length, content, stopping.Token).ConfigureAwait(false), buffer);
            }
            catch
            {
                await stopping.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }

        void Arrived(int index, UploadedPart part, byte[] buffer)
        {
            parts[index] = part;
            lock (idle)
            {
                idle.Push(buffer);
                meter.Advance(part.Length);
            }

            free.Release();
        }

        byte[] Rent()
        {
            lock (idle)
            {
                return idle.TryPop(out var buffer) ? buffer : new byte[partSize];
            }
        }
    }

    private void Read(Span<byte> destination, long offset)
    {
        if (file.ReadFully(destination, offset) < destination.Length)
        {
            throw Differs("it became shorter while it was sent");
        }
    }

    private void RequireRecorded(string found)
    {
        if (found != sha256)
        {
            throw Differs("its SHA-256 differs from the recorded one");
        }
    }

    private BackupException Differs(string reason) => new(
        BackupErrorId.BackupChecksumMismatch, name,
        $"'{name}' was not sent: {reason}. The file is damaged or was changed; test it with Test-SHBackup, and send a good backup.");
}
