using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.ObjectStorage.Network;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Folder;

/// <summary>
/// A folder, such as that of a mounted share or a second disk. Objects are plain files in it, so it is also a backup
/// directory. Everything else is in its .shbackup folder, and every change of names holds the directory's lock.
/// </summary>
/// <remarks>
/// A file's version is its time of writing and its length. Inode numbers would not do, because many shares make up new ones.
/// Two files can be written in one tick of the clock, so the digits below a millisecond are random.
/// </remarks>
internal sealed class DirectoryStore : IObjectStore
{
    private const int PieceBytes = 1 << 20;
    private const int LargestRecord = 1 << 10;
    private const long LeastPartBytes = 8 << 20;
    private const long MostParts = 10_000;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(60);

    private readonly StoreFault fault;
    private readonly string folder;
    private readonly string stateFolder;
    private readonly BandwidthLimiter? limiter;

    /// <summary>Names a folder, without reading it.</summary>
    /// <param name="location">The folder, with a folder below it as the prefix.</param>
    /// <param name="options">Its options.</param>
    /// <exception cref="BackupException">CloudRefused: an option or a prefix that is impossible for a folder.</exception>
    public DirectoryStore(StoreLocation location, StoreOptions options)
    {
        Location = location;
        fault = new StoreFault(location);
        if (!Path.IsPathFullyQualified(location.Container))
        {
            throw fault.Refused("the location", "the folder needs its full path", null);
        }

        if (location.Prefix.Split('/').SkipLast(1).Any(part => !IsName(part)))
        {
            throw fault.Refused(
                "the prefix",
                "it must be a path of folders below the folder: names with one slash between them, none of them '.', '..' or '.shbackup', and no slash at the beginning",
                null);
        }

        folder = Path.TrimEndingDirectorySeparator(Path.Combine(location.Container, location.Prefix));
        stateFolder = Path.Combine(folder, HeldFolder.StateFolderName);

        if (options.StorageClass is not null || options.ServerSideEncryption is not null || options.EncryptionKey is not null
            || options.ImmutableFor is not null)
        {
            throw fault.Refused("the options", "a folder has no storage class, no encryption and no lock of its own", null);
        }

        Options = options;
        limiter = options.BandwidthLimit is { } limit ? new BandwidthLimiter(limit) : null;
    }

    /// <inheritdoc/>
    public StoreLocation Location { get; }

    /// <inheritdoc/>
    public int MostParallelParts => 2;

    /// <inheritdoc/>
    public StoreOptions Options { get; }

    /// <inheritdoc/>
    /// <remarks>The arrived bytes are read back, and their SHA-256 is compared.</remarks>
    public ContentChecksums Checksums => ContentChecksums.None;

    private string UploadsFolder => Path.Combine(stateFolder, "uploads");

    private string RecordsFolder => Path.Combine(stateFolder, "objects");

    /// <inheritdoc/>
    public string UrlOf(string name) => new Uri(PathOf(name)).AbsoluteUri;

    /// <inheritdoc/>
    public long PartSize(long length) => Math.Max(LeastPartBytes, (length + MostParts - 1) / MostParts);

    /// <inheritdoc/>
    public Task RequireContainerAsync(bool create, CancellationToken cancellation) => DoAsync("looking for the folder", requiresContainer: !create, () =>
    {
        PrivateFolder.CreateDurably(Location.Container);
    }, cancellation);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var all = await DoAsync("listing", requiresContainer: true, () => Directory.Exists(folder)
            ? new DirectoryInfo(folder).EnumerateFiles("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false })
                .Where(file => file.Name.StartsWith(beginning, StringComparison.Ordinal) && FileKind.IsRegularItself(file.FullName))
                .Select(InfoOf)
                .OfType<ObjectInfo>()
                .OrderBy(one => one.Name, StringComparer.Ordinal)
                .ToList()
            : [], cancellation).ConfigureAwait(false);
        foreach (var one in all)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return one;
        }
    }

    /// <inheritdoc/>
    public Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation) => DoAsync($"looking for '{name}'", requiresContainer: true, () =>
    {
        var path = PathOf(name);
        if (!RequireFileOrNothing(name))
        {
            return null;
        }

        try
        {
            using var file = OpenToRead(path);
            var info = InfoOf(name, file);

            // A folder copied by other means has no records, or records with other times of writing.
            var sha256 = ReadRecord(info) ?? FileHash.Compute(file, _ => { }, cancellation);
            return info with { Sha256 = sha256, Checksum = "sha256:" + sha256 };
        }
        catch (FileNotFoundException)
        {
            // Deleted meanwhile.
            return null;
        }
    }, cancellation);

    /// <inheritdoc/>
    public async Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        await DoAsync($"reading '{version.Name}'", requiresContainer: true, () =>
        {
            if (!RequireFileOrNothing(version.Name))
            {
                throw fault.ObjectChanged(version.Name, null);
            }

            try
            {
                using var file = OpenToRead(PathOf(version.Name));
                RequireUnchanged();
                for (var done = 0; done < destination.Length;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var read = file.ReadFully(destination.Span.Slice(done, Math.Min(PieceBytes, destination.Length - done)), offset + done);
                    done += read > 0 ? read : throw fault.ObjectChanged(version.Name, null);
                }

                // We never write into an existing file; other programs may.
                RequireUnchanged();

                void RequireUnchanged()
                {
                    if (InfoOf(version.Name, file).Version != version.Version)
                    {
                        throw fault.ObjectChanged(version.Name, null);
                    }
                }
            }
            catch (FileNotFoundException exception)
            {
                throw fault.ObjectChanged(version.Name, exception);
            }
        }, cancellation).ConfigureAwait(false);
        await PaceAsync(destination.Length, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> PutAsync(
        string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation)
    {
        await PaceAsync(content.Length, cancellation).ConfigureAwait(false);
        return await DoAsync($"writing '{name}'", requiresContainer: true, () =>
        {
            var upload = Begin(name);
            try
            {
                upload.Write(0, content.Span);
                return Publish(upload, name, content.Length, attributes.Sha256, replaces, cancellation);
            }
            finally
            {
                upload.Delete();
            }
        }, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellation) => DoAsync($"deleting '{name}'", requiresContainer: true, () =>
    {
        if (!RequireFileOrNothing(name))
        {
            return true;
        }

        using var held = Lock(cancellation);
        DurableFile.Delete(PathOf(name));
        if (Directory.Exists(RecordsFolder))
        {
            DurableFile.Discard(Path.Combine(RecordsFolder, name));
        }

        return true;
    }, cancellation);

    /// <inheritdoc/>
    public Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation) =>
        DoAsync($"beginning to write '{name}'", requiresContainer: true, () =>
        Begin(name).Id, cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation) =>
        DoAsync($"looking for the parts of '{name}'", requiresContainer: true, () =>
        DirectoryUpload.Find(UploadsFolder, uploadId, name)?.Parts(), cancellation);

    /// <inheritdoc/>
    public bool Holds(UploadedPart part, ReadOnlySpan<byte> content) =>
        part.Length == content.Length && part.Tag == Convert.ToHexStringLower(SHA256.HashData(content));

    /// <inheritdoc/>
    public async Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        await PaceAsync(content.Length, cancellation).ConfigureAwait(false);
        return await DoAsync($"writing '{name}'", requiresContainer: true, () =>
        {
            try
            {
                return RequireUpload(name, uploadId).WritePart(number, offset, content.Span);
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                throw fault.UploadLost(name, exception);
            }
        }, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation) =>
        DoAsync($"completing '{name}'", requiresContainer: true, () =>
    {
        var upload = RequireUpload(name, uploadId);
        var made = Publish(upload, name, length, attributes.Sha256, replaces: null, cancellation);
        upload.Delete();
        return made;
    }, cancellation);

    /// <inheritdoc/>
    public Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation) => DoAsync($"cancelling '{name}'", requiresContainer: true, () =>
    {
        DirectoryUpload.Find(UploadsFolder, uploadId, name)?.Delete();
    }, cancellation);

    /// <inheritdoc/>
    public async IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var pending in await DoAsync("listing uploads", requiresContainer: true, () => DirectoryUpload.All(UploadsFolder), cancellation)
            .ConfigureAwait(false))
        {
            if (pending.Name.StartsWith(beginning, StringComparison.Ordinal))
            {
                yield return pending;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => limiter?.Dispose();

    private static bool IsName(string name) =>
        name is not ("" or "." or ".." or HeldFolder.StateFolderName)
        && name.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) < 0
        && (!OperatingSystem.IsWindows() || (name[^1] is not ('.' or ' ') && Path.GetFileName(Path.GetFullPath(name)) == name));

    private static ObjectInfo InfoOf(string name, SafeFileHandle file) =>
        InfoOf(name, RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));

    /// <summary>Describes a file; null if it is gone by now.</summary>
    private static ObjectInfo? InfoOf(FileInfo file)
    {
        try
        {
            return InfoOf(file.Name, file.Length, file.LastWriteTimeUtc);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static ObjectInfo InfoOf(string name, long length, DateTime written) =>
        new(name, length, string.Create(CultureInfo.InvariantCulture, $"{written.Ticks:x}-{length:x}"), new DateTimeOffset(written, TimeSpan.Zero));

    private static SafeFileHandle OpenToRead(string path) =>
        RegularFile.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>
    /// Reads back the arrived bytes. If they are right, gives the file its name, provided that the name is free or has the version
    /// that may be replaced.
    /// </summary>
    private ObjectInfo Publish(DirectoryUpload upload, string name, long length, string sha256, ObjectInfo? replaces, CancellationToken cancellation)
    {
        var info = upload.Seal(file =>
        {
            var found = FileHash.Compute(file, _ => { }, cancellation);
            var arrived = InfoOf(name, file);
            return arrived.Length == length && found == sha256
                ? arrived
                : throw fault.ChecksumMismatch(name, string.Create(
                    CultureInfo.InvariantCulture, $"{arrived.Length} bytes with the SHA-256 {found} have arrived, instead of {length} bytes with {sha256}"));
        });
        using var held = Lock(cancellation);
        var path = PathOf(name);
        var current = RequireFileOrNothing(name) ? InfoOf(new FileInfo(path)) : null;
        if (current?.Version != replaces?.Version)
        {
            throw fault.ObjectExists(name, null);
        }

        // The record comes first. A crash in between leaves a record that does not fit, and then the file is read.
        WriteRecord(info, sha256);
        try
        {
            DurableFile.Rename(upload.ContentPath, path, overwrite: replaces is not null);
        }
        catch (IOException exception) when (replaces is null && Path.Exists(path))
        {
            // Some shares have no locks.
            throw fault.ObjectExists(name, exception);
        }

        return info with { Sha256 = sha256, Checksum = "sha256:" + sha256 };
    }

    private SafeFileHandle Lock(CancellationToken cancellation)
    {
        PrivateFolder.CreateDurably(stateFolder);
        return FolderLock.Take(stateFolder, LockTimeout, cancellation);
    }

    private string? ReadRecord(ObjectInfo info)
    {
        var path = Path.Combine(RecordsFolder, info.Name);
        if (!FileKind.IsRegularItself(path))
        {
            return null;
        }

        try
        {
            return Encoding.UTF8.GetString(RegularFile.ReadAllBytes(path, LargestRecord)).Split(' ') is [var version, { Length: 64 } sha256]
                && version == info.Version
                ? sha256
                : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or NotAFileException or FileTooLargeException)
        {
            // Deleted meanwhile, or not ours. It is a cache.
            return null;
        }
    }

    private void WriteRecord(ObjectInfo info, string sha256)
    {
        PrivateFolder.CreateDurably(RecordsFolder);
        DurableFile.WriteAllBytes(Path.Combine(RecordsFolder, info.Name), System.Text.Encoding.ASCII.GetBytes($"{info.Version} {sha256}"));
    }

    private DirectoryUpload Begin(string name)
    {
        RequireName(name);
        PrivateFolder.CreateDurably(UploadsFolder);
        return DirectoryUpload.Begin(UploadsFolder, name);
    }

    private DirectoryUpload RequireUpload(string name, string uploadId) =>
        DirectoryUpload.Find(UploadsFolder, uploadId, name) ?? throw fault.UploadLost(name, null);

    private void RequireName(string name)
    {
        if (!IsName(name))
        {
            throw fault.Refused($"the name '{name}'", "it cannot be the name of a file in the folder", null);
        }
    }

    private string PathOf(string name)
    {
        RequireName(name);
        return Path.Combine(folder, name);
    }

    /// <summary>Whether a file has the name. Anything else with the name is refused.</summary>
    private bool RequireFileOrNothing(string name)
    {
        var path = PathOf(name);
        if (FileKind.IsRegularItself(path))
        {
            return true;
        }

        try
        {
            // Unlike File.Exists, it distinguishes a missing file from one that may not be inspected.
            _ = File.GetAttributes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }

        throw fault.Refused($"the name '{name}'", "a link, a folder or a device has that name, and is not followed or touched", null);
    }

    private ValueTask PaceAsync(int bytes, CancellationToken cancellation) => limiter?.WaitAsync(bytes, watch: null, cancellation) ?? ValueTask.CompletedTask;

    /// <inheritdoc cref="DoAsync{T}"/>
    private async Task DoAsync(string action, bool requiresContainer, Action work, CancellationToken cancellation) =>
        _ = await DoAsync(action, requiresContainer, () =>
        {
            work();
            return true;
        }, cancellation).ConfigureAwait(false);

    /// <summary>Runs work that waits for a disk on another thread, and translates its errors.</summary>
    private Task<T> DoAsync<T>(string action, bool requiresContainer, Func<T> work, CancellationToken cancellation) => Task.Run(() =>
    {
        try
        {
            if (requiresContainer && !Directory.Exists(Location.Container))
            {
                throw fault.ContainerNotFound(null);
            }

            RefuseLinks();
            return work();
        }
        catch (UnauthorizedAccessException exception)
        {
            throw fault.AccessDenied(action, exception.Message, exception);
        }
        catch (PathTooLongException exception)
        {
            throw fault.Refused(action, "the name is too long", exception);
        }
        catch (IOException exception) when (DiskFault.IsFull(exception))
        {
            throw DiskFault.From(exception, folder, BackupErrorId.CloudAccessDenied, string.Empty);
        }
        catch (IOException exception)
        {
            throw Directory.Exists(Location.Container) ? fault.Unavailable(action, exception.Message, exception) : fault.ContainerNotFound(exception);
        }
    }, cancellation);

    /// <summary>Refuses a prefix or a state folder that leads elsewhere. The folder itself is the user's own choice.</summary>
    private void RefuseLinks()
    {
        var path = Location.Container;
        foreach (var part in (string[])[.. Location.Prefix.Split('/', StringSplitOptions.RemoveEmptyEntries), HeldFolder.StateFolderName])
        {
            path = Path.Combine(path, part);
            if (new DirectoryInfo(path).LinkTarget is not null)
            {
                throw fault.Refused("the location", $"'{path}' is a link, and links are not followed there", null);
            }
        }

        foreach (var inside in (string[])[UploadsFolder, RecordsFolder])
        {
            if (new DirectoryInfo(inside).LinkTarget is not null)
            {
                throw fault.Refused("the location", $"'{inside}' is a link, and links are not followed there", null);
            }
        }
    }
}
