using System.Globalization;
using System.Security.Cryptography;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>Stores a snapshot in a file: the whole image, or its changes since a parent.</summary>
internal sealed class ContentWriter(
    LiveDatabase database,
    PartialBackup partial,
    PageDigestFile digests,
    SteadyFlush flush,
    CompressionType compression,
    int level,
    FileEncryption? encryption,
    OperationContext context)
{
    private readonly DiskWatch watch = new(database.Path);

    private string FileName => Path.GetFileName(database.Path);

    /// <summary>Stores the whole image.</summary>
    /// <param name="image">The snapshot's image.</param>
    /// <param name="scan">The results of a scan; null if the image was not scanned.</param>
    /// <param name="isReadBack">Whether the file will be read back.</param>
    public StoredContent WriteFull(IDatabaseImage image, ImageScan? scan, bool isReadBack)
    {
        using var meter = context.Meter($"Backing up {FileName}", image.Length);
        using var target = new StoredFileWriter(partial.Handle, flush, watch.Check, encryption);
        var stored = ImageWriter.Write(image, target, scan is null ? digests : null, isReadBack, compression, level, meter, context.Cancellation);
        image.ConfirmUnchanged();
        return new StoredContent
        {
            Type = BackupType.Full,
            StoredLength = stored.StoredLength,
            StoredChecksum = stored.StoredChecksum,
            PageCount = image.PageCount,
            Checksum = stored.Checksum,
            PagesChecksum = scan?.PagesChecksum ?? stored.PagesChecksum!,
            Sum = stored.Sum,
            Method = image.Method,
            MissingPages = image.MissingPages,
        };
    }

    /// <summary>Finds the pages that are new or differ from the parent's.</summary>
    /// <param name="image">The snapshot's image.</param>
    /// <param name="parentDigests">The digests of the parent's pages.</param>
    /// <param name="copy">Takes the pages that are read; null if nobody needs a copy.</param>
    /// <param name="hasChecksum">Whether the SHA-256 of the image is computed too.</param>
    public ImageScan Scan(IDatabaseImage image, PageDigestSource parentDigests, IImageTarget? copy, bool hasChecksum)
    {
        using var meter = context.Meter($"Comparing {FileName}", image.Length);
        var wanted = new ImageScanOptions { Earlier = parentDigests, Digests = digests, Copy = copy, HasChecksum = hasChecksum };
        return ImageScan.Run(image, wanted, meter, context.Cancellation);
    }

    /// <summary>Stores the pages that a scan found.</summary>
    public StoredContent WriteChanges(IDatabaseImage image, ImageScan scan, BackupMetadata parent)
    {
        if (scan.Changed.Count == 0 && image.PageCount != parent.PageCount)
        {
            // The log's commit carries the page count, so there must be one.
            scan.Changed.Add(1);
        }

        var stored = WriteWal(scan.Changed.Pages(), scan.Changed.Count, image.PageCount, (page, buffer) => image.Read(page, buffer));
        image.ConfirmUnchanged();
        return new StoredContent
        {
            Type = BackupType.Incremental,
            Parent = parent,
            StoredLength = stored.StoredLength,
            StoredChecksum = stored.StoredChecksum,
            PageCount = image.PageCount,
            Checksum = scan.Checksum,
            PagesChecksum = scan.PagesChecksum,
            WalChecksum = stored.WalChecksum,
            Method = image.Method,
            MissingPages = image.MissingPages,
            Changed = scan.Changed,
            ChangedPages = scan.Changed.Count,
        };
    }

    /// <summary>Stores the frames that the database's own log has committed since the parent.</summary>
    public StoredContent WriteTail(WalTail tail, BackupMetadata parent, PageDigestSource parentDigests)
    {
        var pages = tail.Pages.Count == 0 && database.PageCount != parent.PageCount
            ? throw new SnapshotLostException("the log changes the number of pages without a frame")
            : tail.Pages;
        var content = WritePages(BackupType.Wal, "log", pages, tail.ReadPage, parent, parentDigests);
        tail.ConfirmUnchanged();
        return content;
    }

    /// <summary>Stores the pages that are known to have changed since the parent; no others are read.</summary>
    /// <param name="image">The snapshot's image.</param>
    /// <param name="pages">The pages, ascending; at least one.</param>
    /// <param name="parent">The backup on which this one builds.</param>
    /// <param name="parentDigests">The digests of its pages.</param>
    public StoredContent WriteKnown(IDatabaseImage image, IReadOnlyList<long> pages, BackupMetadata parent, PageDigestSource parentDigests)
    {
        var content = WritePages(BackupType.Incremental, "followed", pages, (page, buffer) => image.Read(page, buffer), parent, parentDigests);
        image.ConfirmUnchanged();
        return content with { MissingPages = image.MissingPages };
    }

    /// <summary>Returns why the pages of a log lack some that changed since the parent; null if it has them all.</summary>
    public static string? WhyIncomplete(IReadOnlyList<long> pages, BackupMetadata parent, long pageCount)
    {
        var grown = pageCount - parent.PageCount!.Value;
        var held = pages.Reverse().TakeWhile(page => page > parent.PageCount).Count();
        return grown > held
            ? string.Create(CultureInfo.InvariantCulture, $"the database has grown by {grown} pages, but its log has only {held} of them")
            : null;
    }

    private StoredContent WritePages(
        BackupType type, string method, IReadOnlyList<long> pages, Action<long, Span<byte>> readPage, BackupMetadata parent, PageDigestSource parentDigests)
    {
        var stored = WriteWal(pages, pages.Count, database.PageCount, readPage);
        return new StoredContent
        {
            Type = type,
            Parent = parent,
            StoredLength = stored.StoredLength,
            StoredChecksum = stored.StoredChecksum,
            PageCount = database.PageCount,
            PagesChecksum = PatchDigests(pages, readPage, parentDigests),
            WalChecksum = stored.WalChecksum,
            Method = method,
            ChangedPages = pages.Count,
        };
    }

    private WrittenWal WriteWal(IEnumerable<long> pages, long count, long pageCount, Action<long, Span<byte>> readPage)
    {
        using var meter = context.Meter($"Backing up {FileName}", WalFormat.FrameOffset(count + 1, database.PageSize));
        using var target = new StoredFileWriter(partial.Handle, flush, watch.Check, encryption);
        return WalWriter.Write(database.PageSize, pageCount, pages, readPage, target, compression, level, meter, context.Cancellation);
    }

    /// <summary>Returns the image's digests without reading the image: the parent's, with the changed pages' digests in their places.</summary>
    private string PatchDigests(IReadOnlyList<long> pages, Action<long, Span<byte>> readPage, PageDigestSource parentDigests)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var content = new byte[database.PageSize];
        var buffer = new byte[64 << 10];
        var pagesABatch = buffer.Length / PageDigests.Size;
        var changed = 0;
        for (long first = 1; first <= database.PageCount; first += pagesABatch)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var count = (int)Math.Min(pagesABatch, database.PageCount - first + 1);
            var batch = buffer.AsSpan(0, count * PageDigests.Size);
            _ = parentDigests.Read(first, batch);
            for (; changed < pages.Count && pages[changed] < first + count; changed++)
            {
                readPage(pages[changed], content);
                PageDigests.Compute(content, batch.Slice((int)(pages[changed] - first) * PageDigests.Size, PageDigests.Size));
            }

            hash.AppendData(batch);
            digests.Append(batch);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
