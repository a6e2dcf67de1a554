using System.Buffers.Binary;
using System.Globalization;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Images;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// The image of a stored backup, as it lies: a page is read from its newest version in the chain, and only the frame with that page is
/// unpacked.
/// </summary>
/// <remarks>
/// What is read is compared with the page digests of the backup, if they are at hand, and in any case proves itself by the
/// checksum of its frame or by the encryption. Pages that are not read are not looked at.
/// </remarks>
internal sealed class StoredImage : IPageImage
{
    private const int ReadBytes = 1 << 20;
    private const int DigestsAtOnce = 1024;

    private readonly IReadOnlyList<SeekableContent> contents;
    private readonly FrameCache cache;
    private readonly IReadOnlyList<BackupMetadata> links;
    private readonly PageDigestSource? digests;
    private readonly byte[] digestBlock = new byte[DigestsAtOnce * PageDigests.Size];
    private readonly long[] firstNumbers;
    private readonly TemporaryFolder? folder;
    private readonly PagePositions? positions;
    private long digestBlockPage = -1;

    private StoredImage(
        IReadOnlyList<BackupMetadata> links,
        IReadOnlyList<SeekableContent> contents,
        FrameCache cache,
        PageDigestSource? digests,
        IReadOnlyList<string> temporaryParents)
    {
        this.links = links;
        this.contents = contents;
        this.cache = cache;
        this.digests = digests;
        firstNumbers = new long[contents.Count];
        (PageSize, PageCount) = Shape();
        if (contents.Count > 1)
        {
            folder = TemporaryFolder.CreateInFirst(temporaryParents, PageCount * sizeof(uint));
            try
            {
                positions = new PagePositions(folder.FilePath("positions"), PageCount);
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public int PageSize { get; }

    /// <inheritdoc/>
    public long PageCount { get; }

    /// <summary>What was read so far, in words: frames of how many, and their stored bytes.</summary>
    public string Effort => string.Create(
        CultureInfo.InvariantCulture,
        $"{contents.Sum(content => content.FramesRead)} of {contents.Sum(content => (long)content.FrameCount)} frames, {contents.Sum(content => content.BytesRead) / 1e6:0.0} MB");

    /// <summary>Whether every page that is read proves itself.</summary>
    public bool IsProved => digests is not null || contents.All(content => content.IsProved);

    /// <summary>Puts an image together.</summary>
    /// <param name="links">The chain with its files, the full backup first. They are disposed with the image, or if this fails.</param>
    /// <param name="identities">The secrets that may open encrypted files.</param>
    /// <param name="digests">The page digests of the last link; null if they are not at hand. They are disposed with the image.</param>
    /// <param name="cache">Keeps what was unpacked. It is disposed with the image, or if this fails.</param>
    /// <param name="temporaryParents">Where temporary files may go, the best first.</param>
    /// <param name="cancellation">Stops this, and every later read.</param>
    /// <returns>Null if one of the files cannot be read in pieces.</returns>
    /// <exception cref="ChainDamagedException">A link's content is damaged.</exception>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong, WriteFailed, InsufficientSpace, and the Cloud… errors.</exception>
    public static StoredImage? TryOpen(
        IReadOnlyList<(BackupMetadata Backup, IStoredBytes File)> links,
        IdentityRing identities,
        PageDigestSource? digests,
        FrameCache cache,
        IReadOnlyList<string> temporaryParents,
        CancellationToken cancellation)
    {
        var contents = new List<SeekableContent>();
        StoredImage? begun = null;
        StoredImage? image = null;
        try
        {
            foreach (var (link, file) in links)
            {
                if (Judge(link, () => SeekableContent.TryOpen(file, link, identities, cache, cancellation)) is not { } content)
                {
                    return null;
                }

                contents.Add(content);
            }

            var opened = begun = new StoredImage([.. links.Select(link => link.Backup)], contents, cache, digests, temporaryParents);
            for (var link = links.Count - 1; link > 0; link--)
            {
                var (index, backup) = (link, links[link].Backup);
                _ = Judge(backup, () => opened.TakePages(index, backup, cancellation));
            }

            return image = opened;
        }
        finally
        {
            if (image is null)
            {
                cache.Dispose();
                contents.ForEach(content => content.Dispose());
                begun?.DisposePositions();
                links.Skip(contents.Count).ToList().ForEach(link => link.File.Dispose());
                digests?.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ChainDamagedException">The page, or its frame, is damaged.</exception>
    public void Read(long page, Span<byte> content)
    {
        var number = positions?[page] ?? 0;
        var link = number == 0 ? 0 : LinkOf(number);
        try
        {
            if (link > 0)
            {
                ReadIncrement(contents[link], WalFormat.FrameOffset(number - firstNumbers[link], PageSize), page, content);
            }
            else if ((page - 1) * PageSize == DatabaseHeader.LockByteOffset && page * PageSize > contents[0].Length)
            {
                // The database grew over the lock-byte page after the full backup, and SQLite never writes that page.
                content.Clear();
            }
            else
            {
                contents[0].Read((page - 1) * PageSize, content);
            }

            Confirm(page, content);
        }
        catch (InvalidDataException exception)
        {
            throw new ChainDamagedException(links[link], exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        cache.Dispose();
        foreach (var content in contents)
        {
            content.Dispose();
        }

        DisposePositions();
        digests?.Dispose();
    }

    private void DisposePositions()
    {
        positions?.Dispose();
        folder?.Dispose();
    }

    private static T Judge<T>(BackupMetadata link, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            throw new ChainDamagedException(link, exception);
        }
    }

    private (int PageSize, long PageCount) Shape()
    {
        if (links[0] is { PageSize: { } fullSize, PageCount: { } fullCount } && contents[0].Length != fullSize * fullCount)
        {
            throw Damaged(links[0], $"It has {contents[0].Length} bytes of content, but {fullSize * fullCount} were recorded.");
        }

        if (links[^1] is { PageSize: { } recordedSize, PageCount: { } recordedCount })
        {
            return (recordedSize, recordedCount);
        }

        var header = new byte[DatabaseHeader.Size];
        if (contents[0].Length >= header.Length)
        {
            contents[0].Read(0, header);
        }

        return DatabaseHeader.HasMagic(header) && DatabaseHeader.PageSize(header) is var size and > 0 && contents[0].Length % size == 0
            ? (size, contents[0].Length / size)
            : throw Damaged(links[^1], $"Its content is no SQLite database.");
    }

    /// <summary>Notes which pages an increment has, unless a newer one has them.</summary>
    private bool TakePages(int link, BackupMetadata increment, CancellationToken cancellation)
    {
        var content = contents[link];
        firstNumbers[link] = link == contents.Count - 1 ? 0 : firstNumbers[link + 1] + Frames(contents[link + 1]);
        var number = firstNumbers[link];
        if (content.TryReadPages(Frames(content), page => Take(page, ++number), cancellation))
        {
            return number - firstNumbers[link] == Frames(content) && (content.Length - WalFormat.HeaderSize) % (WalFormat.FrameHeaderSize + PageSize) == 0
                ? true
                : throw new InvalidDataException("The list of its pages has another number of pages than it holds.");
        }

        var wal = new WalReader(increment.PageSize!.Value, increment.PageCount!.Value, (page, _) => Take(page, ++number));
        var buffer = new byte[Math.Min(ReadBytes, content.Length)];
        for (long offset = 0; offset < content.Length; offset += buffer.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, content.Length - offset));
            content.Read(offset, part);
            wal.Take(part);
        }

        wal.Finish();
        return true;
    }

    /// <summary>Reads a page of an increment, whose own header must say that it is that page.</summary>
    private void ReadIncrement(SeekableContent log, long offset, long page, Span<byte> content)
    {
        Span<byte> header = stackalloc byte[WalFormat.FrameHeaderSize];
        log.Read(offset, header);
        if (BinaryPrimitives.ReadUInt32BigEndian(header) != page)
        {
            throw new InvalidDataException("The list of its pages contradicts its content.");
        }

        log.Read(offset + WalFormat.FrameHeaderSize, content);
    }

    private void Take(long page, long number)
    {
        if (page <= PageCount)
        {
            _ = positions!.TryAdd(page, checked((uint)number));
        }
    }

    private long Frames(SeekableContent log) => (log.Length - WalFormat.HeaderSize) / (WalFormat.FrameHeaderSize + PageSize);

    private int LinkOf(long number)
    {
        var link = contents.Count - 1;
        while (link > 1 && number > firstNumbers[link] + Frames(contents[link]))
        {
            link--;
        }

        return link;
    }

    private void Confirm(long page, ReadOnlySpan<byte> content)
    {
        if (digests is null)
        {
            return;
        }

        var block = (page - 1) / DigestsAtOnce;
        if (block != digestBlockPage)
        {
            digestBlockPage = -1;
            _ = digests.Read((block * DigestsAtOnce) + 1, digestBlock);
            digestBlockPage = block;
        }

        Span<byte> found = stackalloc byte[PageDigests.Size];
        PageDigests.Compute(content, found);
        if (!found.SequenceEqual(digestBlock.AsSpan((int)((page - 1) % DigestsAtOnce) * PageDigests.Size, PageDigests.Size)))
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Page {page} is not the page that was backed up."));
        }
    }

    private static ChainDamagedException Damaged(BackupMetadata link, FormattableString sentence) =>
        new(link, new InvalidDataException(FormattableString.Invariant(sentence)));
}
