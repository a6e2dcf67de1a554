namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// A consistent image of a database: page count times page size bytes, with the lock-byte page as zeros. One thread at a time
/// reads it, from front to back.
/// </summary>
internal interface IDatabaseImage : IDisposable
{
    /// <summary>Bytes in a page, 512 to 65536.</summary>
    int PageSize { get; }

    /// <summary>Pages in the image.</summary>
    long PageCount { get; }

    /// <summary>How the image was taken, for the sidecar: <c>pinned</c> or <c>stepped</c>.</summary>
    string Method { get; }

    /// <summary>Bytes in the image.</summary>
    long Length => PageCount * PageSize;

    /// <summary>Pages that could not be read and were replaced by zeros; only if damage is tolerated.</summary>
    long MissingPages { get; }

    /// <summary>Fills a buffer of whole pages.</summary>
    /// <param name="firstPage">The first requested page; pages count from 1.</param>
    /// <param name="buffer">A whole number of pages.</param>
    /// <exception cref="BackupException">SourceTruncated, ReadFailed.</exception>
    void Read(long firstPage, Span<byte> buffer);

    /// <summary>Confirms, after the last page was read, that the image did not change while it was read.</summary>
    /// <exception cref="SnapshotLostException">It did.</exception>
    void ConfirmUnchanged();
}
