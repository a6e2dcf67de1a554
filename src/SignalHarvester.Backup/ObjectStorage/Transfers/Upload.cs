using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>
/// Sends a file: read in order, hashed, and sent in parts, several at once where the service takes them so. What an earlier
/// process sent is not sent again, once it is certain that those bytes have arrived. The object appears whole, at the end,
/// and only if the file turned out to be what was recorded.
/// </summary>
internal sealed class Upload(IObjectStore store, string name, SafeFileHandle file, string sha256, OperationContext context)
{
    private readonly long length = RandomAccess.GetLength(file);

    /// <summary>Sends the file, unless it is there.</summary>
    /// <param name="journals">The folder for what another process needs to go on; null where nothing can be kept.</param>
    /// <param name="meter">Told of the bytes that have arrived, those that were there already included.</param>
    /// <exception cref="BackupException">BackupChecksumMismatch: the file is not what was recorded; Cloud….</exception>
    public async Task<ObjectInfo> RunAsync(string? journals, ProgressMeter meter)
    {
        if (await store.FindAsync(name, context.Cancellation).ConfigureAwait(false) is { } existing)
        {
            return existing.Length == length && existing.Sha256 == sha256
                ? existing
                : throw new CloudFault(store.Location).ObjectExists(name, null);
        }

        if (length <= store.PartSize(length))
        {
            return await PutWholeAsync(meter).ConfigureAwait(false);
        }

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
            // Nothing that could be gone on with.
            await store.AbortUploadAsync(name, uploadId, CancellationToken.None).ConfigureAwait(false);
            journal?.Delete();
            throw;
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

        if (record.Sha256 == sha256 && record.Length == length && record.PartSize == partSize
            && await store.FindPartsAsync(name, record.UploadId, length, context.Cancellation).ConfigureAwait(false) is { } arrived)
        {
            context.Verbose(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"An earlier upload of '{name}' is gone on with: {arrived.Count} part(s) have arrived."));
            return (record.UploadId, arrived);
        }

        await store.AbortUploadAsync(name, record.UploadId, context.Cancellation).ConfigureAwait(false);
        return null;
    }

    private async Task<(string UploadId, IReadOnlyList<UploadedPart> Arrived)> BeginAsync(UploadJournal? journal, long partSize)
    {
        // The checksums of the whole are known at the end; its SHA-256 is recorded, and held against the file by then.
        var uploadId = await store.BeginUploadAsync(name, length, new ObjectAttributes(sha256, ObjectAttributes.BackupType), context.Cancellation).ConfigureAwait(false);
        journal?.Write(new UploadRecord(sha256, length, partSize, uploadId));
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
                sending.Add(SendAsync(index, offset, buffer, content));
            }

            await Task.WhenAll(sending).ConfigureAwait(false);
        }
        catch
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Cancellation.ThrowIfCancellationRequested();

            // What began it, not the cancellations that followed.
            throw sending.FirstOrDefault(task => task.IsFaulted)?.Exception?.InnerException is { } first
                ? System.Runtime.ExceptionServices.ExceptionDispatchInfo.SetCurrentStackTrace(first)
                : System.Runtime.ExceptionServices.ExceptionDispatchInfo.SetCurrentStackTrace(new OperationCanceledException());
        }

        RequireRecorded(hash.Sha256());
        return (parts, hash.Attributes(ObjectAttributes.BackupType));

        async Task SendAsync(int index, long offset, byte[] buffer, ReadOnlyMemory<byte> content)
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
        for (var done = 0; done < destination.Length;)
        {
            var read = RandomAccess.Read(file, destination[done..], offset + done);
            done += read > 0 ? read : throw Differs("it became shorter while it was sent");
        }
    }

    private void RequireRecorded(string found)
    {
        if (found != sha256)
        {
            throw Differs("its SHA-256 is not the recorded one");
        }
    }

    private BackupException Differs(string reason) => new(
        BackupErrorId.BackupChecksumMismatch,
        BackupErrorCategory.InvalidData,
        name,
        $"'{name}' was not sent: {reason}. The file is damaged or was changed; test it with Test-SHBackup, and send a good backup.");
}
