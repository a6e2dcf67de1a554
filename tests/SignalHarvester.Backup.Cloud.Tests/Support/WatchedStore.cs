using System.Collections.Concurrent;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Cloud.Tests.Support;

/// <summary>A store that notes what is sent and read, and lets a test act in between. The caller disposes the store underneath.</summary>
internal sealed class WatchedStore(IObjectStore inner) : IObjectStore
{
    private long bytesRead;
    private int puts;

    /// <summary>The size of parts; null for that of the store underneath.</summary>
    public long? PartBytes { get; init; }

    /// <summary>The options of this call; null for those of the store underneath.</summary>
    public StoreOptions? OtherOptions { get; init; }

    /// <summary>Called before a part is sent, with its number.</summary>
    public Func<int, Task> BeforePart { get; init; } = _ => Task.CompletedTask;

    /// <summary>Called when a part has arrived, with its number.</summary>
    public Action<int> AfterPart { get; init; } = _ => { };

    /// <summary>Called before a range is read, with its offset.</summary>
    public Func<long, Task> BeforeRead { get; init; } = _ => Task.CompletedTask;

    /// <summary>Called before an upload is completed or an object is put.</summary>
    public Func<Task> BeforeEnd { get; init; } = () => Task.CompletedTask;

    /// <summary>Whether it only pretends to delete.</summary>
    public bool KeepsWhatIsDeleted { get; init; }

    /// <summary>Whether it lists nothing, like a store that uses another key than it was given.</summary>
    public bool ListsNothing { get; init; }

    /// <summary>Whether it replaces objects that may not be replaced, like a store that does not know the condition.</summary>
    public bool IgnoresConditions { get; init; }

    /// <summary>The location that it reports; null for that of the store underneath.</summary>
    public StoreLocation? OtherLocation { get; init; }

    /// <summary>The numbers of the parts that have arrived.</summary>
    public ConcurrentQueue<int> Arrived { get; } = new();

    /// <summary>The id of the last upload that was begun.</summary>
    public string? UploadId { get; private set; }

    /// <summary>The bytes that were read.</summary>
    public long BytesRead => Interlocked.Read(ref bytesRead);

    /// <summary>The number of objects that were put whole.</summary>
    public int Puts => puts;

    public StoreLocation Location => OtherLocation ?? inner.Location;

    public StoreOptions Options => OtherOptions ?? inner.Options;

    public int MostParallelParts => inner.MostParallelParts;

    public ContentChecksums Checksums => inner.Checksums;

    public string UrlOf(string name) => inner.UrlOf(name);

    public long PartSize(long length) => PartBytes ?? inner.PartSize(length);

    public Task RequireContainerAsync(bool create, CancellationToken cancellation) => inner.RequireContainerAsync(create, cancellation);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, CancellationToken cancellation) =>
        ListsNothing ? AsyncEnumerable.Empty<ObjectInfo>() : inner.ListAsync(beginning, cancellation);

    public Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation) => inner.FindAsync(name, cancellation);

    public async Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        await BeforeRead(offset);
        await inner.ReadAsync(version, offset, destination, cancellation);
        Interlocked.Add(ref bytesRead, destination.Length);
    }

    public async Task<ObjectInfo> PutAsync(
        string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation)
    {
        await BeforeEnd();
        Interlocked.Increment(ref puts);
        if (IgnoresConditions)
        {
            await inner.DeleteAsync(name, cancellation);
        }

        return await inner.PutAsync(name, content, attributes, replaces, cancellation);
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellation) =>
        KeepsWhatIsDeleted ? Task.FromResult(true) : inner.DeleteAsync(name, cancellation);

    public async Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation) =>
        UploadId = await inner.BeginUploadAsync(name, length, attributes, cancellation);

    public Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation) =>
        inner.FindPartsAsync(name, uploadId, length, cancellation);

    public bool Holds(UploadedPart part, ReadOnlySpan<byte> content) => inner.Holds(part, content);

    public async Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        await BeforePart(number);
        var part = await inner.PutPartAsync(name, uploadId, number, offset, length, content, cancellation);
        Arrived.Enqueue(number);
        AfterPart(number);
        return part;
    }

    public async Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation)
    {
        await BeforeEnd();
        return await inner.CompleteUploadAsync(name, uploadId, length, parts, attributes, cancellation);
    }

    public Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation) => inner.AbortUploadAsync(name, uploadId, cancellation);

    public IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, CancellationToken cancellation) =>
        inner.PendingUploadsAsync(beginning, cancellation);

    public void Dispose()
    {
    }
}
