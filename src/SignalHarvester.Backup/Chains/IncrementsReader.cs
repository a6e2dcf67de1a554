using System.Security.Cryptography;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// Reads the increments of a chain as if they were one file, the newest first. One pipeline serves all of them: an increment
/// is only a few chunks, and to fill and drain a pipeline for each would cost as much as to unpack it.
/// </summary>
internal sealed class IncrementsReader : IDisposable
{
    private readonly OpenChain chain;
    private readonly PageTaker takePage;
    private readonly ProgressMeter meter;
    private readonly ReadResult[] files;
    private readonly CompressionType[] compressions;
    private readonly IncrementalHash newest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    // Used by the reading thread.
    private int reading;
    private StoredStream? stored;
    private FrameReader? frames;
    private long length;

    // Used by the consuming thread.
    private int consuming;
    private WalReader? log;

    private IncrementsReader(OpenChain chain, PageTaker takePage, ProgressMeter meter)
    {
        this.chain = chain;
        this.takePage = takePage;
        this.meter = meter;
        files = new ReadResult[chain.Links.Count];
        compressions = new CompressionType[chain.Links.Count];
        reading = consuming = chain.Links.Count - 1;
    }

    /// <summary>Reads all increments.</summary>
    /// <param name="chain">The open files.</param>
    /// <param name="takePage">Called with each page and its content: the newest increment's first, each in its log's order.</param>
    /// <param name="meter">Counts stored bytes.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>The content of each file, the oldest increment's first, and the SHA-256 of the newest log in lower-case hex.</returns>
    /// <exception cref="ChainDamagedException">A link's content is damaged.</exception>
    public static (IReadOnlyList<ReadResult> Files, string WalChecksum) Read(
        OpenChain chain, PageTaker takePage, ProgressMeter meter, CancellationToken cancellation)
    {
        using var reader = new IncrementsReader(chain, takePage, meter);
        ChunkPipeline.Run(reader.Fill, () => new Worker(reader), reader.Consume, cancellation);
        reader.Judge(reader.consuming, () => reader.log!.Finish());
        return (reader.files[1..], Convert.ToHexStringLower(reader.newest.GetHashAndReset()));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        frames?.Dispose();
        stored?.Dispose();
        newest.Dispose();
    }

    private bool Fill(Chunk chunk)
    {
        for (; reading > 0; reading--)
        {
            if (Judge(reading, () => TryFill(chunk)))
            {
                chunk.Link = reading;
                return true;
            }
        }

        return false;
    }

    /// <summary>Fills a chunk from the link that is being read; returns false at its end.</summary>
    private bool TryFill(Chunk chunk)
    {
        if (frames is null)
        {
            stored = new StoredStream(chain.Links[reading].File, chain.Identities, Link(reading));
            frames = new FrameReader(stored);
            compressions[reading] = frames.Compression;
            length = 0;
        }

        if (frames.Read(chunk))
        {
            chunk.PlainOffset = length;
            length += chunk.PlainLength;

            // At most: every page once, each with its frame's header.
            return length <= WalFormat.FrameOffset(Link(reading).PageCount!.Value + 1, Link(reading).PageSize!.Value)
                ? true
                : throw new InvalidDataException("The content is larger than recorded.");
        }

        if (length == 0)
        {
            throw new InvalidDataException("The log is cut short.");
        }

        var checksum = stored!.Finish();
        files[reading] = new ReadResult(length, stored.BytesRead, checksum);
        frames.Dispose();
        stored.Dispose();
        (frames, stored) = (null, null);
        return false;
    }

    private void Consume(Chunk chunk)
    {
        if (chunk.Link != consuming)
        {
            Judge(consuming, () => log!.Finish());
            (consuming, log) = (chunk.Link, null);
        }

        // The records of a parent's log are proved by its stored checksum.
        var isNewest = consuming == chain.Links.Count - 1;
        log ??= new WalReader(
            Link(consuming).PageSize!.Value, Link(consuming).PageCount!.Value, takePage, isProved: !isNewest && Link(consuming).StoredChecksum is not null);
        if (isNewest)
        {
            newest.AppendData(chunk.PlainSpan);
        }

        Judge(consuming, () => log.Take(chunk.PlainSpan));
        meter.Advance(chunk.StoredSpan.Length);
    }

    private BackupMetadata Link(int index) => chain.Links[index].Backup;

    private void Judge(int link, Action read) => Judge(link, () =>
    {
        read();
        return true;
    });

    /// <summary>Runs a read, and adds to its fault which link's content is damaged.</summary>
    private bool Judge(int link, Func<bool> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            throw new ChainDamagedException(Link(link), exception);
        }
    }

    /// <summary>Unpacks chunks of several files, which may have different compressions.</summary>
    private sealed class Worker(IncrementsReader reader) : IChunkWorker
    {
        private readonly Dictionary<CompressionType, IChunkWorker> decompressors = [];

        public void Transform(Chunk chunk)
        {
            if (chunk.IsPlainOnly)
            {
                return;
            }

            var compression = reader.compressions[chunk.Link];
            if (!decompressors.TryGetValue(compression, out var decompressor))
            {
                decompressors[compression] = decompressor = Codec.Decompressor(compression);
            }

            reader.Judge(chunk.Link, () => decompressor.Transform(chunk));
        }

        public void Dispose()
        {
            foreach (var decompressor in decompressors.Values)
            {
                decompressor.Dispose();
            }
        }
    }
}
