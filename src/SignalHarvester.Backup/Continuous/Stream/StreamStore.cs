using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;

namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>
/// The stream of one database in an object store: a location of its own below that of the backups, so that nobody who lists these meets it.
/// The number of a segment is the fence between writers: each is put only where none is, in one request.
/// </summary>
internal sealed class StreamStore : IDisposable
{
    private const string ProbeBeginning = "probe_";

    // Enough for the header of some hundred transactions; of an encrypted segment, for the first piece of its content.
    private const int UsualHeader = 4 << 10;
    private const int UsualEncryptedHeader = 68 << 10;
    private const int Growth = 8;

    private readonly IObjectStore store;
    private readonly StoreFault fault;

    // Whether the last segment that was looked at was encrypted: most streams are one or the other.
    private volatile bool isEncrypted;

    /// <summary>Wraps an open store whose location is that of the stream.</summary>
    /// <param name="store">The store. It is disposed with this.</param>
    internal StreamStore(IObjectStore store)
    {
        this.store = store;
        fault = new StoreFault(store.Location);
    }

    /// <summary>Where the stream is.</summary>
    public StoreLocation Location => store.Location;

    /// <summary>Opens the stream of a database, without contacting the store.</summary>
    /// <param name="backups">Where the ordinary backups are.</param>
    /// <param name="databasePath">The database's path, as sidecars record it.</param>
    /// <param name="options">The store's options.</param>
    public static StreamStore Open(StoreLocation backups, string databasePath, StoreOptions options) =>
        new(ObjectStores.Open(LocationOf(backups, databasePath), options));

    /// <summary>Returns the location of a database's stream.</summary>
    /// <param name="backups">Where the ordinary backups are.</param>
    /// <param name="databasePath">The database's path, as sidecars record it.</param>
    public static StoreLocation LocationOf(StoreLocation backups, string databasePath) =>
        backups with { Prefix = $"{backups.Prefix}stream-{DatabaseKey.Of(databasePath)}/" };

    /// <summary>Puts a segment where none has its number.</summary>
    /// <exception cref="BackupException">The Cloud… errors. Whether the segment has arrived is then unknown: put the same one again.</exception>
    public async Task<PutOutcome> PutAsync(Segment segment, CancellationToken cancellation)
    {
        var name = segment.Name.ToString();
        try
        {
            await PutNewAsync(name, segment.Bytes, cancellation).ConfigureAwait(false);
            return PutOutcome.Stored;
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudObjectExists)
        {
            return await store.FindAsync(name, cancellation).ConfigureAwait(false) is { } there
                && there.Length == segment.Bytes.Length && there.Sha256 == segment.Sha256
                ? PutOutcome.Stored
                : PutOutcome.Taken;
        }
    }

    /// <summary>Finds a segment; null if there is none with this name.</summary>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public async Task<StoredSegment?> FindAsync(SegmentName name, CancellationToken cancellation) =>
        await store.FindAsync(name.ToString(), cancellation).ConfigureAwait(false) is { } info ? new StoredSegment(name, info) : null;

    /// <summary>Lists segments in the order of their timelines and numbers.</summary>
    /// <param name="timeline">The timeline; null for all.</param>
    /// <param name="fromNumber">The first number.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">The Cloud… errors: a failed listing is never an empty one.</exception>
    public async IAsyncEnumerable<StoredSegment> ListAsync(
        int? timeline, long fromNumber, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var beginning = timeline is { } one ? SegmentName.BeginningOf(one) : SegmentName.BeginningOfAll;
        await foreach (var info in store.ListAsync(beginning, cancellation).ConfigureAwait(false))
        {
            if (SegmentName.TryParse(info.Name) is { } name && name.Number >= fromNumber)
            {
                yield return new StoredSegment(name, info);
            }
        }
    }

    /// <summary>Whether one of the next segments after one is there, at most a thousand: in one listing.</summary>
    /// <param name="missing">A segment that is not there.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public async Task<bool> HasNeighbourAfterAsync(SegmentName missing, CancellationToken cancellation)
    {
        await foreach (var info in store.ListAsync(SegmentName.BeginningOfNeighbours(missing), cancellation).ConfigureAwait(false))
        {
            if (SegmentName.TryParse(info.Name)?.Number > missing.Number)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Returns the last segment; null if there is none.</summary>
    /// <param name="timeline">Its timeline; null for the last of all.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public async Task<StoredSegment?> LastAsync(int? timeline, CancellationToken cancellation)
    {
        StoredSegment? last = null;
        await foreach (var segment in ListAsync(timeline, 1, cancellation).ConfigureAwait(false))
        {
            last = segment;
        }

        return last;
    }

    /// <summary>Reads a whole segment.</summary>
    /// <param name="segment">The segment, as found or listed.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudChecksumMismatch: it is damaged; BackupTypeUnsupported: a later version made it; IdentityMissing,
    /// IdentityWrong; CloudObjectNotFound or CloudObjectChanged: it is gone; and the other Cloud… errors.</exception>
    public async Task<SegmentContent> ReadAsync(StoredSegment segment, IdentityRing identities, CancellationToken cancellation)
    {
        var bytes = new byte[RequireLength(segment)];
        await store.ReadAsync(segment.Info, 0, bytes, cancellation).ConfigureAwait(false);
        return segment.Info.Sha256 is { } recorded && recorded != Convert.ToHexStringLower(SHA256.HashData(bytes))
            ? throw fault.ChecksumMismatch(segment.Info.Name, "its content does not have the recorded SHA-256")
            : Understand(segment, () => SegmentReader.Read(segment.Name, bytes, identities));
    }

    /// <summary>Reads what a segment says of itself, in one small request unless it holds thousands of transactions.</summary>
    /// <param name="segment">The segment, as found or listed.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">As in <see cref="ReadAsync"/>.</exception>
    public async Task<SegmentHeader> ReadHeaderAsync(StoredSegment segment, IdentityRing identities, CancellationToken cancellation)
    {
        var length = RequireLength(segment);
        for (var wanted = isEncrypted ? UsualEncryptedHeader : UsualHeader; wanted < length; wanted *= Growth)
        {
            var beginning = new byte[wanted];
            await store.ReadAsync(segment.Info, 0, beginning, cancellation).ConfigureAwait(false);
            isEncrypted = SegmentReader.IsEncrypted(beginning);
            if (isEncrypted && wanted < UsualEncryptedHeader)
            {
                wanted = UsualEncryptedHeader / Growth;
                continue;
            }

            if (Understand(segment, () => SegmentReader.TryReadHeader(segment.Name, beginning, identities)) is { } header)
            {
                return header;
            }

            if (wanted > length / Growth)
            {
                break;
            }
        }

        return (await ReadAsync(segment, identities, cancellation).ConfigureAwait(false)).Header;
    }

    /// <summary>Deletes a segment; a missing one is no error.</summary>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public async Task DeleteAsync(SegmentName name, CancellationToken cancellation) =>
        _ = await store.DeleteAsync(name.ToString(), cancellation).ConfigureAwait(false);

    /// <summary>Proves that the store refuses to put an object where one is: a store that replaces it instead is no fence between two writers.</summary>
    /// <exception cref="BackupException">StoreUnconditional; and the Cloud… errors.</exception>
    public async Task ProveConditionalAsync(CancellationToken cancellation)
    {
        var name = ProbeBeginning + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        await PutNewAsync(name, RandomNumberGenerator.GetBytes(16), cancellation).ConfigureAwait(false);
        try
        {
            await PutNewAsync(name, RandomNumberGenerator.GetBytes(16), cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudObjectExists)
        {
            return;
        }
        finally
        {
            _ = await store.DeleteAsync(name, cancellation).ConfigureAwait(false);
        }

        throw new BackupException(
            BackupErrorId.StoreUnconditional, Location.ToString(),
            $"'{Location}' replaces an object although it was told not to (If-None-Match), so two writers could destroy each other's transactions there. Use a store that keeps this condition, such as AWS S3, Ceph, Azure or Google; ordinary backups can stay there.");
    }

    /// <inheritdoc/>
    public void Dispose() => store.Dispose();

    private async Task PutNewAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        _ = await store.PutAsync(name, bytes, ContentHash.Attributes(bytes.Span, ObjectAttributes.BackupType, store.Checksums), replaces: null, cancellation)
            .ConfigureAwait(false);

    private int RequireLength(StoredSegment segment) => segment.Info.Length <= Array.MaxLength
        ? (int)segment.Info.Length
        : throw fault.ChecksumMismatch(
            segment.Info.Name, string.Create(CultureInfo.InvariantCulture, $"it has {segment.Info.Length} bytes, too many for a segment"));

    private T Understand<T>(StoredSegment segment, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            throw fault.ChecksumMismatch(segment.Info.Name, exception.Message.TrimEnd('.'), exception);
        }
        catch (NotSupportedException exception)
        {
            throw new BackupException(
                BackupErrorId.BackupTypeUnsupported, segment.Info.Name,
                $"The segment '{segment.Info.Name}' in '{Location}' was made by a later version of the module. Update the module with Update-PSResource SignalHarvester.Backup, then run the command again.",
                exception);
        }
    }
}
