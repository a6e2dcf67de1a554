using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>A bucket of Google Cloud Storage, or of a server that speaks its JSON API.</summary>
/// <remarks>
/// A thin client of our own over Google.Apis.Auth. Google.Cloud.Storage.V1 does not reveal the sessions of uploads, which
/// another process has to resume here, and it brings three more layers into the module.
/// </remarks>
internal sealed class GcsStore : IObjectStore
{
    private const long LargestObject = 5L << 40;

    private readonly StoreOptions options;
    private readonly GcsFault fault;
    private readonly GcsClient client;
    private readonly GcsBucketAccess bucket;
    private readonly ConcurrentDictionary<string, GcsSession> sessions = new();
    private bool? keepsDeleted;

    /// <summary>Opens a bucket. Nothing is sent yet.</summary>
    /// <param name="location">The bucket.</param>
    /// <param name="options">Its options.</param>
    /// <exception cref="BackupException">CloudRefused: the endpoint is invalid.</exception>
    public GcsStore(StoreLocation location, StoreOptions options)
    {
        Location = location;
        this.options = options;
        fault = new GcsFault(location, options);
        client = new GcsClient(location, options, fault);
        bucket = new GcsBucketAccess(client, fault, location, options);
    }

    /// <inheritdoc/>
    public StoreLocation Location { get; }

    /// <inheritdoc/>
    public int MostParallelParts => 1;

    /// <inheritdoc/>
    public StoreOptions Options => options;

    /// <inheritdoc/>
    public ContentChecksums Checksums => ContentChecksums.Crc32C;

    /// <inheritdoc/>
    public string UrlOf(string name) => $"{Location}{name}";

    /// <inheritdoc/>
    public long PartSize(long length) => length <= LargestObject
        ? 64 * GcsSession.Quantum
        : throw fault.Store.Refused(
            "an object", string.Create(CultureInfo.InvariantCulture, $"{length} bytes are more than the limit of 5 TiB for an object"), null);

    /// <inheritdoc/>
    public async Task RequireContainerAsync(bool create, CancellationToken cancellation)
    {
        if (await bucket.FindAsync(cancellation).ConfigureAwait(false) is not null)
        {
            return;
        }

        if (!create)
        {
            throw fault.Store.ContainerNotFound(null);
        }

        await bucket.CreateAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var address = $"{bucket.Path}/o?prefix={Uri.EscapeDataString(Location.Prefix + beginning)}&fields=nextPageToken,items({GcsObject.Fields})";
        for (var token = string.Empty; token is not null;)
        {
            var next = token.Length == 0 ? address : $"{address}&pageToken={Uri.EscapeDataString(token)}";
            var page = await client.RunAsync(
                "listing", null, stop => client.AskAsync(client.Get(next), GcsJson.Default.GcsPage, stop), meaning: null, cancellation).ConfigureAwait(false);
            foreach (var item in page.Items ?? [])
            {
                // The prefix itself can be an object, which consoles make for an empty folder.
                if (Info(item) is { Name.Length: > 0 } info)
                {
                    yield return info;
                }
            }

            token = string.IsNullOrEmpty(page.NextPageToken) ? null : page.NextPageToken;
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation) =>
        await client.RunAsync($"looking for '{name}'", name, stop => FetchAsync(name, stop), meaning: null, cancellation).ConfigureAwait(false) is { } found
            ? Info(found)
            : null;

    /// <inheritdoc/>
    public async Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        // Bytes that arrived before a connection broke are not fetched again.
        var done = 0;
        if (destination.IsEmpty)
        {
            return;
        }

        await client.RunAsync(
            $"reading '{version.Name}'",
            version.Name,
            async stop =>
            {
                using var response = await SendRangeAsync(version, offset + done, offset + destination.Length, stop).ConfigureAwait(false);
                var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
                await using (body.ConfigureAwait(false))
                {
                    while (done < destination.Length)
                    {
                        var read = await body.ReadAsync(destination[done..], stop).ConfigureAwait(false);
                        done += read > 0 ? read : throw new EndOfStreamException("the answer ended before its end");
                    }
                }

                return done;
            },
            response => response.Status == HttpStatusCode.PreconditionFailed || (response.Status == HttpStatusCode.NotFound && !response.IsOfBucket)
                ? fault.Store.ObjectChanged(version.Name, response)
                : null,
            cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> PutAsync(
        string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation)
    {
        var address = client.Address(
            $"{UploadQuery("multipart", name)}&ifGenerationMatch={Uri.EscapeDataString(replaces?.Version ?? "0")}&fields={GcsObject.Fields}");
        var made = await WriteOnceAsync(
            name,
            content.Length,
            attributes,
            stop => client.AskAsync(
                () => new HttpRequestMessage(HttpMethod.Post, address) { Content = Multipart(NewObject(name, attributes), content) }, GcsJson.Default.GcsObject,
                stop),
            meaning: null,
            cancellation).ConfigureAwait(false);
        await RequireIntactAsync(name, made, content.Length, attributes).ConfigureAwait(false);
        return Info(made);
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellation)
    {
        // Asked before the deletion: afterwards it would be too late to find out that the bucket cannot be asked.
        keepsDeleted ??= await bucket.FindAsync(cancellation).ConfigureAwait(false) is { KeepsDeleted: true };
        var deleted =
            await client.RunAsync($"deleting '{name}'", name, stop => RemoveAsync(ObjectPath(name), stop), meaning: null, cancellation).ConfigureAwait(false);
        return !deleted || keepsDeleted != true;
    }

    /// <inheritdoc/>
    public async Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation)
    {
        var address = client.Address($"{UploadQuery("resumable", name)}&ifGenerationMatch=0&fields={GcsObject.Fields}");
        var session = await client.RunAsync(
            $"beginning to send '{name}'",
            name,
            async stop =>
            {
                using var response = await client.SendAsync(
                    () =>
                    {
                        var request = new HttpRequestMessage(
                            HttpMethod.Post, address)
                        { Content = GcsClient.Json(NewObject(name, attributes), GcsJson.Default.GcsNewObject) };
                        request.Headers.Add("X-Upload-Content-Type", attributes.ContentType);
                        request.Headers.Add("X-Upload-Content-Length", length.ToString(CultureInfo.InvariantCulture));
                        return request;
                    },
                    stop).ConfigureAwait(false);
                return client.Follow(response.Headers.Location ?? throw new JsonException("The answer names no session."));
            },
            meaning: null,
            cancellation).ConfigureAwait(false);
        sessions[session.AbsoluteUri] = GcsSession.New(client, session, name, length, fault.Store);
        return session.AbsoluteUri;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation)
    {
        try
        {
            var session = Session(name, uploadId, length);
            if (!await session.AskAsync(cancellation).ConfigureAwait(false))
            {
                return null;
            }

            var partSize = PartSize(length);
            var parts = new List<UploadedPart>();
            for (long offset = 0; offset < length && Math.Min(offset + partSize, length) <= session.Safe; offset += partSize)
            {
                parts.Add(new UploadedPart(parts.Count + 1, Math.Min(partSize, length - offset), string.Empty));
            }

            return parts;
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudUploadLost)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The service reports no checksum of a part. The checksum of the whole goes with the end, and if it differs, the service
    /// makes no object. So parts of other bytes are found then, and nothing wrong is stored.
    /// </remarks>
    public bool Holds(UploadedPart part, ReadOnlySpan<byte> content) => true;

    /// <inheritdoc/>
    public async Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        await Session(name, uploadId, length).SendAsync(offset, content, cancellation).ConfigureAwait(false);
        return new UploadedPart(number, content.Length, string.Empty);
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation)
    {
        var session = Session(name, uploadId, length);
        var made = await WriteOnceAsync(
            name, length, attributes, stop => session.FinishAsync(Base64(attributes.Crc32C), stop), session.Meaning, cancellation).ConfigureAwait(false);
        await RequireIntactAsync(name, made, length, attributes).ConfigureAwait(false);
        sessions.TryRemove(uploadId, out _);
        return Info(made);
    }

    /// <inheritdoc/>
    public async Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation)
    {
        if ((sessions.TryRemove(uploadId, out var session) && session.IsOver) || !Uri.TryCreate(uploadId, UriKind.Absolute, out var address))
        {
            return;
        }

        await client.RunAsync(
            $"cancelling the upload of '{name}'", name, stop => GcsSession.CancelAsync(client, address, stop), meaning: null, cancellation)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <remarks>The service cannot list them; they expire after a week.</remarks>
    public IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, CancellationToken cancellation) => AsyncEnumerable.Empty<PendingUpload>();

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private static string? Base64(uint? crc32C)
    {
        if (crc32C is not { } value)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return Convert.ToBase64String(bytes);
    }

    private static MultipartContent Multipart(GcsNewObject metadata, ReadOnlyMemory<byte> content)
    {
        var media = new ReadOnlyMemoryContent(content);
        media.Headers.ContentType = MediaTypeHeaderValue.Parse(metadata.ContentType);
        var boundary = $"shbackup-{Guid.NewGuid():N}";
        var multipart = new MultipartContent("related", boundary) { GcsClient.Json(metadata, GcsJson.Default.GcsNewObject), media };

        // In the form of the service's documentation, without quotes.
        multipart.Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/related; boundary={boundary}");
        return multipart;
    }

    private string ObjectPath(string name) => $"{bucket.Path}/o/{Uri.EscapeDataString(Location.Prefix + name)}";

    private string UploadQuery(string type, string name) =>
        $"/upload{bucket.Path}/o?uploadType={type}&name={Uri.EscapeDataString(Location.Prefix + name)}"
        + (options.EncryptionKey is { } key ? $"&kmsKeyName={Uri.EscapeDataString(key)}" : string.Empty);

    private GcsNewObject NewObject(string name, ObjectAttributes attributes) =>
        new(Location.Prefix + name, attributes.ContentType, new() { [ObjectAttributes.Sha256Entry] = attributes.Sha256 })
        {
            StorageClass = options.StorageClass,
            Crc32C = Base64(attributes.Crc32C),
            Retention = options.ImmutableFor is { } time ? new GcsRetention("Locked", DateTimeOffset.UtcNow + time) : null,
        };

    private ObjectInfo Info(GcsObject item) =>
        new(fault.Store.NameOf(item.Name), item.Size, item.Generation.ToString(CultureInfo.InvariantCulture), item.TimeCreated)
        {
            Checksum = item.Crc32C is { } crc32C ? $"crc32c:{crc32C}" : null,
            Sha256 = item.Metadata?.GetValueOrDefault(ObjectAttributes.Sha256Entry),
        };

    private GcsSession Session(string name, string uploadId, long length) => sessions.GetOrAdd(
        uploadId,
        id => Uri.TryCreate(id, UriKind.Absolute, out var address)
            ? new GcsSession(client, address, name, length, fault.Store)
            : throw fault.Store.UploadLost(name, null));

    private async Task<GcsObject?> FetchAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await client.AskAsync(client.Get($"{ObjectPath(name)}?fields={GcsObject.Fields}"), GcsJson.Default.GcsObject, cancellation)
                .ConfigureAwait(false);
        }
        catch (GcsResponseException response) when (response.Status == HttpStatusCode.NotFound && !response.IsOfBucket)
        {
            return null;
        }
    }

    private async Task<HttpResponseMessage> SendRangeAsync(ObjectInfo version, long from, long until, CancellationToken cancellation)
    {
        var response = await client.SendAsync(
            () =>
            {
                var generation = Uri.EscapeDataString(version.Version);
                var request = client.Get($"{ObjectPath(version.Name)}?alt=media&generation={generation}&ifGenerationMatch={generation}")();
                request.Headers.Range = new RangeHeaderValue(from, until - 1);
                return request;
            },
            cancellation).ConfigureAwait(false);

        // Without the header it is the whole object.
        if ((response.Content.Headers.ContentRange?.From ?? 0) == from)
        {
            return response;
        }

        response.Dispose();
        throw fault.Store.Refused($"reading '{version.Name}'", "the answer is not the requested range", null);
    }

    // For a request that takes effect once at most. If an earlier attempt took effect and only its answer was lost, then the answer
    // that an object exists, or that the session is over, is the answer to that attempt.
    private Task<GcsObject> WriteOnceAsync(
        string name,
        long length,
        ObjectAttributes attributes,
        Func<CancellationToken, Task<GcsObject>> attempt,
        Func<GcsResponseException, BackupException?>? meaning,
        CancellationToken cancellation)
    {
        var attempts = 0;
        return client.RunAsync(
            $"writing '{name}'",
            name,
            async stop =>
            {
                attempts++;
                try
                {
                    return await attempt(stop).ConfigureAwait(false);
                }
                catch (GcsResponseException response)
                    when (attempts > 1 && response.Status is HttpStatusCode.PreconditionFailed or HttpStatusCode.NotFound or HttpStatusCode.Gone)
                {
                    if (await FetchAsync(name, stop).ConfigureAwait(false) is { } found
                        && found.Size == length && found.Metadata?.GetValueOrDefault(ObjectAttributes.Sha256Entry) == attributes.Sha256)
                    {
                        return found;
                    }

                    throw;
                }
            },
            meaning,
            cancellation);
    }

    private async Task RequireIntactAsync(string name, GcsObject made, long length, ObjectAttributes attributes)
    {
        var sent = Base64(attributes.Crc32C);
        if (made.Size == length && (sent is null || made.Crc32C is null || made.Crc32C == sent))
        {
            return;
        }

        var detail = string.Create(
            CultureInfo.InvariantCulture, $"{length} bytes with the CRC-32C {sent} were sent, but the service has {made.Size} bytes with {made.Crc32C}");
        try
        {
            // Exactly that version, even if the command is stopped meanwhile: nobody may take it for the backup.
            await client.RunAsync(
                $"deleting '{name}'",
                name,
                stop => RemoveAsync(
                    string.Create(CultureInfo.InvariantCulture, $"{ObjectPath(name)}?generation={made.Generation}&ifGenerationMatch={made.Generation}"), stop),
                meaning: null,
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (BackupException exception)
        {
            throw fault.Store.ChecksumMismatch(name, $"{detail}. It could not be deleted: {exception.Message}", exception);
        }

        throw fault.Store.ChecksumMismatch(name, $"{detail}. It was deleted");
    }

    private async Task<bool> RemoveAsync(string pathAndQuery, CancellationToken cancellation)
    {
        try
        {
            using var response =
                await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Delete, client.Address(pathAndQuery)), cancellation).ConfigureAwait(false);
            return true;
        }
        catch (GcsResponseException response) when (response.Status == HttpStatusCode.NotFound && !response.IsOfBucket)
        {
            return false;
        }
    }
}
