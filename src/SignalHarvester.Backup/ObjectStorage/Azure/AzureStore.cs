using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using SignalHarvester.Backup.ObjectStorage.Network;

namespace SignalHarvester.Backup.ObjectStorage.Azure;

/// <summary>A container of Azure Blob Storage.</summary>
internal sealed class AzureStore : IObjectStore
{
    private const int MostBlocks = 50_000;
    private const long SmallestBlock = 8L << 20;

    // Azure accepts 4,000 MiB, but a part has to fit into a buffer.
    private const long LargestBlock = 1L << 30;

    // Names of metadata are C# identifiers.
    private static readonly string Sha256Entry = ObjectAttributes.Sha256Entry.Replace('-', '_');

    private readonly StoreOptions options;
    private readonly HttpClient http;
    private readonly BlobContainerClient container;
    private readonly StoreFault faults;
    private readonly AzureFault azureFaults;

    /// <summary>Opens a container with the credentials of the environment. Nothing is sent yet.</summary>
    /// <param name="location">The container.</param>
    /// <param name="options">Its options.</param>
    /// <exception cref="BackupException">CloudCredentialsMissing; CloudRefused: an invalid name, address or option.</exception>
    public AzureStore(StoreLocation location, StoreOptions options)
        : this(location, options, Environment.GetEnvironmentVariable)
    {
    }

    /// <summary>Opens a container with credentials of another environment.</summary>
    /// <param name="location">The container.</param>
    /// <param name="options">Its options.</param>
    /// <param name="environment">Returns the value of an environment variable.</param>
    public AzureStore(StoreLocation location, StoreOptions options, Func<string, string?> environment)
    {
        var account = new AzureAccount(location, environment);
        Location = location with { AccountName = account.Name };
        faults = new StoreFault(Location);
        azureFaults = new AzureFault(Location);
        if (options.ServerSideEncryption is not null || options.EncryptionKey is not null)
        {
            throw faults.Refused("-ServerSideEncryption and -KmsKeyId", "Azure encrypts everything, with the key of the account or the container", null);
        }

        this.options = options;
        http = new HttpClient(new NetworkHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };
        container = account.Open(location.Container, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2026_06_06)
        {
            Transport = new HttpClientTransport(http),
            RetryPolicy = new AzureRetry(options.MostRetries),

            // The handler watches whether bytes move; their total time is no fault.
            Retry = { NetworkTimeout = Timeout.InfiniteTimeSpan },
            Diagnostics = { IsLoggingEnabled = false, IsDistributedTracingEnabled = false },
        });
    }

    /// <inheritdoc/>
    public StoreLocation Location { get; }

    /// <inheritdoc/>
    public int MostParallelParts => 4;

    /// <inheritdoc/>
    public StoreOptions Options => options;

    /// <inheritdoc/>
    public ContentChecksums Checksums => ContentChecksums.Md5;

    /// <inheritdoc/>
    public string UrlOf(string name) => Blob(name).Uri.AbsoluteUri;

    /// <inheritdoc/>
    public long PartSize(long length)
    {
        if (length > MostBlocks * LargestBlock)
        {
            throw faults.Refused("an object of this size", "it would need more than 50,000 blocks of 1 GiB", null);
        }

        var needed = (length + MostBlocks - 1) / MostBlocks;
        return Math.Max(SmallestBlock, (needed + (1 << 20) - 1) >> 20 << 20);
    }

    /// <inheritdoc/>
    public async Task RequireContainerAsync(bool create, CancellationToken cancellation)
    {
        try
        {
            // The question is about an object, because a SAS token of the container itself may not see the container's properties.
            _ = await FindAsync(".shbackup", cancellation).ConfigureAwait(false);
        }
        catch (BackupException missing) when (create && missing.ErrorId == BackupErrorId.CloudContainerNotFound)
        {
            _ = await CallAsync(
                "creating the container", null, () => container.CreateIfNotExistsAsync(PublicAccessType.None, cancellationToken: cancellation), cancellation)
                .ConfigureAwait(false);
        }

        if (options.ImmutableFor is not null)
        {
            await RequireImmutabilityAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var wanted = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Location.Prefix + beginning };
        var pages = container.GetBlobsAsync(wanted, cancellation).AsPages().GetAsyncEnumerator(cancellation);
        await using (pages.ConfigureAwait(false))
        {
            while (await CallAsync("listing", null, async () => await pages.MoveNextAsync().ConfigureAwait(false), cancellation).ConfigureAwait(false))
            {
                foreach (var blob in pages.Current.Values)
                {
                    // Accounts with a hierarchical namespace list folders as objects. The prefix itself can also be an object, which some
                    // programs make for an empty folder.
                    if (!blob.Metadata.ContainsKey("hdi_isfolder") && faults.NameOf(blob.Name) is { Length: > 0 } name)
                    {
                        yield return new ObjectInfo(
                            name,
                            blob.Properties.ContentLength ?? 0,
                            Version(blob.Properties.ETag ?? default),
                            blob.Properties.LastModified ?? default)
                        {
                            Checksum = Checksum(blob.Properties.ContentHash),
                            Sha256 = blob.Metadata.TryGetValue(Sha256Entry, out var sha256) ? sha256 : null,
                        };
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return Info(name, await PropertiesAsync(name, null, cancellation).ConfigureAwait(false));
        }
        catch (BackupException missing) when (missing.ErrorId == BackupErrorId.CloudObjectNotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        if (destination.IsEmpty)
        {
            return;
        }

        var wanted = new BlobDownloadOptions
        {
            Range = new HttpRange(offset, destination.Length),
            Conditions = new BlobRequestConditions { IfMatch = new ETag(version.Version) },
        };
        try
        {
            await CallAsync($"reading '{version.Name}'", version.Name, FillAsync, cancellation).ConfigureAwait(false);
        }
        catch (BackupException gone) when (gone.ErrorId is BackupErrorId.CloudObjectExists or BackupErrorId.CloudObjectNotFound)
        {
            throw faults.ObjectChanged(version.Name, gone);
        }

        async Task FillAsync()
        {
            using var answer = (await Blob(version.Name).DownloadStreamingAsync(wanted, cancellation).ConfigureAwait(false)).Value;
            await answer.Content.ReadExactlyAsync(destination, cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> PutAsync(
        string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation)
    {
        RequireMd5(name, content.Span, attributes);
        var wanted = new BlobUploadOptions
        {
            // The MD5 is not given, because the service keeps the one that it computes itself.
            HttpHeaders = new BlobHttpHeaders { ContentType = attributes.ContentType },
            Metadata = Metadata(attributes),
            AccessTier = Tier,
            ImmutabilityPolicy = Immutability(),
            Conditions = replaces is null
                ? new BlobRequestConditions { IfNoneMatch = ETag.All }
                : new BlobRequestConditions { IfMatch = new ETag(replaces.Version) },
            TransferValidation = WithMd5(),
        };
        return await WriteAsync(
            name, content.Length, attributes, isNew: replaces is null, () => Blob(name).UploadAsync(Stream(content), wanted, cancellation), cancellation)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var answer = await CallAsync(
                $"deleting '{name}'", name, () => Blob(name).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellation), cancellation)
                .ConfigureAwait(false);

            // The header says so if soft delete keeps the object.
            return !answer.Headers.TryGetValue("x-ms-delete-type-permanent", out var permanent) || permanent != "false";
        }
        catch (BackupException missing) when (missing.ErrorId == BackupErrorId.CloudObjectNotFound)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Azure has blocks but no uploads, so nothing is sent.</remarks>
    public Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation) =>
        cancellation.IsCancellationRequested
            ? Task.FromCanceled<string>(cancellation)
            : Task.FromResult(AzureBlock.UploadId(attributes.Sha256));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation)
    {
        try
        {
            var list = await CallAsync(
                $"looking for parts of '{name}'", name, () => Blob(name).GetBlockListAsync(BlockListTypes.Uncommitted, cancellationToken: cancellation),
                cancellation).ConfigureAwait(false);

            // One number can appear twice, if the file was damaged when it was sent first. Holds finds the right one.
            return
            [
                .. list.Value.UncommittedBlocks
                    .Select(block => AzureBlock.Part(block.Name, block.SizeLong, uploadId))
                    .OfType<UploadedPart>()
                    .DistinctBy(part => part.Number),
            ];
        }
        catch (BackupException missing) when (missing.ErrorId == BackupErrorId.CloudObjectNotFound)
        {
            // There is no block: as at the beginning.
            return [];
        }
    }

    /// <inheritdoc/>
    public bool Holds(UploadedPart part, ReadOnlySpan<byte> content) => AzureBlock.Holds(part.Tag, content);

    /// <inheritdoc/>
    public async Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var id = AzureBlock.Id(uploadId, number, content.Span);
        var wanted = new BlockBlobStageBlockOptions { TransferValidation = WithMd5() };
        _ = await CallAsync(Sending(name), name, () => Blob(name).StageBlockAsync(id, Stream(content), wanted, cancellation), cancellation)
            .ConfigureAwait(false);
        return new UploadedPart(number, content.Length, id);
    }

    /// <inheritdoc/>
    public Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation)
    {
        var wanted = new CommitBlockListOptions
        {
            HttpHeaders = new BlobHttpHeaders { ContentType = attributes.ContentType, ContentHash = attributes.Md5?.ToArray() },
            Metadata = Metadata(attributes),
            AccessTier = Tier,
            ImmutabilityPolicy = Immutability(),
            Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
        };
        return WriteAsync(
            name, length, attributes, isNew: true, () => Blob(name).CommitBlockListAsync(parts.Select(part => part.Tag), wanted, cancellation), cancellation);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// There is no request for it. Azure drops the blocks a week after the last one arrived, or when anybody writes the name;
    /// until then they are neither listed nor found. Overwriting the name and deleting it again would drop them at once, but
    /// would show an empty object meanwhile, and permanently in an immutable container.
    /// </remarks>
    public Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation) => Task.CompletedTask;

    /// <inheritdoc/>
    /// <remarks>None: they expire by themselves, and cannot be cancelled earlier.</remarks>
    public IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, CancellationToken cancellation) => AsyncEnumerable.Empty<PendingUpload>();

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private AccessTier? Tier => options.StorageClass is { } name ? new AccessTier(name) : default(AccessTier?);

    private static string Version(ETag etag) => etag.ToString("H");

    private static string? Checksum(byte[]? md5) => md5 is { Length: > 0 } ? "md5:" + Convert.ToHexStringLower(md5) : null;

    private static Stream Stream(ReadOnlyMemory<byte> content) => BinaryData.FromBytes(content).ToStream();

    private static Dictionary<string, string> Metadata(ObjectAttributes attributes) => new() { [Sha256Entry] = attributes.Sha256 };

    private static ObjectInfo Info(string name, BlobProperties properties) =>
        new(name, properties.ContentLength, Version(properties.ETag), properties.LastModified)
        {
            Checksum = Checksum(properties.ContentHash),
            Sha256 = properties.Metadata.TryGetValue(Sha256Entry, out var sha256) ? sha256 : null,
        };

    private static UploadTransferValidationOptions WithMd5() => new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };

    private BlobImmutabilityPolicy? Immutability() => options.ImmutableFor is { } time
        ? new BlobImmutabilityPolicy { ExpiresOn = DateTimeOffset.UtcNow + time, PolicyMode = BlobImmutabilityPolicyMode.Locked }
        : null;

    private BlockBlobClient Blob(string name) => container.GetBlockBlobClient(Location.Prefix + name);

    // Names the options that the service may refuse.
    private string Sending(string name) =>
        $"sending '{name}'{(options.StorageClass is { } tier ? $" with -StorageClass {tier}" : string.Empty)}{(options.ImmutableFor is null ? string.Empty : " with -ImmutableFor")}";

    private async Task<BlobProperties> PropertiesAsync(string name, BlobRequestConditions? conditions, CancellationToken cancellation) =>
        await CallAsync($"looking for '{name}'", name, () => Blob(name).GetPropertiesAsync(conditions, cancellation), cancellation).ConfigureAwait(false);

    private async Task<ObjectInfo> WriteAsync(
        string name, long length, ObjectAttributes attributes, bool isNew, Func<Task<Response<BlobContentInfo>>> write, CancellationToken cancellation)
    {
        BlobRequestConditions written;
        try
        {
            var answer = await CallAsync(Sending(name), name, write, cancellation).ConfigureAwait(false);
            written = new BlobRequestConditions { IfMatch = answer.Value.ETag };
        }
        catch (BackupException refusal) when (refusal.ErrorId is BackupErrorId.CloudObjectExists or BackupErrorId.CloudUploadLost)
        {
            // A first attempt may have made the object, while its answer was lost.
            if (await FindAsync(name, cancellation).ConfigureAwait(false) is { } existing && existing.Length == length && existing.Sha256 == attributes.Sha256)
            {
                return existing;
            }

            throw;
        }

        var made = await PropertiesAsync(name, written, cancellation).ConfigureAwait(false);
        if (Unfit(name, length, attributes, made) is { } fault)
        {
            if (isNew)
            {
                // If it stayed there, the next run would take it for the copy.
                _ = await CallAsync(
                    $"deleting '{name}'", name, () => Blob(name).DeleteAsync(conditions: written, cancellationToken: cancellation), cancellation)
                    .ConfigureAwait(false);
            }

            throw fault;
        }

        return Info(name, made);
    }

    // The SDK computes the MD5 of an object from the very bytes that it sends.
    private void RequireMd5(string name, ReadOnlySpan<byte> content, ObjectAttributes attributes)
    {
#pragma warning disable CA5351 // Azure stores the MD5 beside an object, against corruption. The SHA-256 protects against attackers.
        if (attributes.Md5 is { } md5 && !md5.Span.SequenceEqual(MD5.HashData(content)))
#pragma warning restore CA5351
        {
            throw faults.ChecksumMismatch(name, "its bytes do not match its MD5");
        }
    }

    private BackupException? Unfit(string name, long length, ObjectAttributes attributes, BlobProperties made)
    {
        var info = Info(name, made);
        if (info.Length != length || info.Sha256 != attributes.Sha256 || (attributes.Md5 is { } md5 && info.Checksum != Checksum(md5.ToArray())))
        {
            return faults.ChecksumMismatch(name, "its size or checksum in the service differs from what was sent");
        }

        return options.ImmutableFor is not null && made.ImmutabilityPolicy?.ExpiresOn is null
            ? faults.Refused(Sending(name), "the service ignores immutability policies", null)
            : null;
    }

    private async Task RequireImmutabilityAsync(CancellationToken cancellation)
    {
        try
        {
            var properties = await CallAsync(
                "reading the container's settings for -ImmutableFor", null, () => container.GetPropertiesAsync(cancellationToken: cancellation), cancellation)
                .ConfigureAwait(false);
            if (!properties.Value.HasImmutableStorageWithVersioning)
            {
                throw faults.Refused("-ImmutableFor", "the container has no version-level immutability", null);
            }
        }
        catch (BackupException hidden) when (hidden.ErrorId == BackupErrorId.CloudAccessDenied)
        {
            // A SAS token of the container may not see this. Each object is checked after it is written.
        }
    }

    private async Task CallAsync(string action, string? name, Func<Task> call, CancellationToken cancellation) =>
        _ = await CallAsync<bool>(action, name, async () =>
        {
            await call().ConfigureAwait(false);
            return true;
        }, cancellation).ConfigureAwait(false);

    private async Task<T> CallAsync<T>(string action, string? name, Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            cancellation.ThrowIfCancellationRequested();
            return await call().ConfigureAwait(false);
        }
        catch (Exception exception) when (AzureFault.Covers(exception))
        {
            // Stopped between two attempts, the SDK says that all attempts failed.
            cancellation.ThrowIfCancellationRequested();
            throw azureFaults.From(exception, action, name);
        }
    }
}
