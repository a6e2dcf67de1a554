using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>
/// Fetches one version of an object: several ranges at once, written and hashed in order. The part that an earlier process
/// fetched is only hashed. At the end the file is complete and matches its record, or there is an error.
/// </summary>
internal sealed class Download(IObjectStore store, ObjectInfo version, OperationContext context)
{
    private const int MostParallel = 4;

    /// <summary>The size of the fetched ranges, in bytes.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>Fetches the object.</summary>
    /// <param name="file">The file to write. If a SHA-256 was recorded, its content counts as the beginning of this version, and is checked.</param>
    /// <param name="sha256">The SHA-256 that the object must have; null if none was recorded.</param>
    /// <param name="meter">Counts the arrived bytes.</param>
    /// <returns>The object's SHA-256.</returns>
    /// <exception cref="BackupException">CloudChecksumMismatch, CloudObjectChanged and the other Cloud… errors.</exception>
    /// <exception cref="IOException">The file cannot be written; the caller, who knows its path, translates this.</exception>
    public async Task<string> RunAsync(SafeFileHandle file, string? sha256, ProgressMeter meter)
    {
        // Without a SHA-256 nothing shows whether the present content belongs to this version.
        var present = sha256 is null ? 0 : Math.Min(RandomAccess.GetLength(file), version.Length) / PartBytes * PartBytes;
        using var flush = new SteadyFlush(file);
        var found = await FetchAsync(file, present, flush, meter).ConfigureAwait(false);
        if (sha256 is not null && found != sha256 && present > 0)
        {
            context.Verbose($"The data of '{version.Name}' from an earlier run is damaged; fetching all of it again.");
            found = await FetchAsync(file, 0, flush, meter).ConfigureAwait(false);
        }

        if (sha256 is not null && found != sha256)
        {
            RandomAccess.SetLength(file, 0);
            throw new StoreFault(store.Location).ChecksumMismatch(version.Name, $"its SHA-256 is {found}, but {sha256} was recorded");
        }

        flush.Finish();
        return found;
    }

    private async Task<string> FetchAsync(SafeFileHandle file, long present, SteadyFlush flush, ProgressMeter meter)
    {
        using var hash = new ContentHash(ContentChecksums.None);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        var coming = new Queue<(long Offset, Memory<byte> Content, Task Fetch)>();
        var idle = new Stack<byte[]>();
        try
        {
            HashPresent(file, present, hash, meter);
            RandomAccess.SetLength(file, present);
            for (var next = present; next < version.Length || coming.Count > 0;)
            {
                for (; next < version.Length && coming.Count < MostParallel; next += PartBytes)
                {
                    var content = (idle.TryPop(out var buffer) ? buffer : new byte[PartBytes]).AsMemory(0, (int)Math.Min(PartBytes, version.Length - next));
                    coming.Enqueue((next, content, store.ReadAsync(version, next, content, stopping.Token)));
                }

                var (offset, arrived, fetch) = coming.Peek();
                await fetch.ConfigureAwait(false);
                _ = coming.Dequeue();
                PieceWriter.Write(file, arrived.Span, offset);
                flush.Written(arrived.Length);
                hash.Append(arrived.Span);
                meter.MoveTo(offset + arrived.Length);
                idle.Push(System.Runtime.InteropServices.MemoryMarshal.TryGetArray<byte>(arrived, out var segment) ? segment.Array! : new byte[PartBytes]);
            }

            return hash.Sha256();
        }
        catch
        {
            // The buffers must not be written to behind the caller's back.
            await stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(coming.Select(part => part.Fetch)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    private void HashPresent(SafeFileHandle file, long present, ContentHash hash, ProgressMeter meter)
    {
        var buffer = new byte[Math.Min(PartBytes, Math.Max(present, 1))];
        for (long done = 0; done < present;)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, present - done)), done);
            if (read == 0)
            {
                throw new IOException("The partly fetched file became shorter while it was read.");
            }

            hash.Append(buffer.AsSpan(0, read));
            done += read;
            meter.MoveTo(done);
        }
    }
}
