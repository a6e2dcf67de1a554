namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image whose header says that the database is in WAL mode: as it was, until a restore took it out of that to overwrite it.</summary>
/// <param name="image">The image; it stays the caller's.</param>
internal sealed class ImageInWalMode(IDatabaseImage image) : IDatabaseImage
{
    private const int WriteVersionOffset = 18;
    private const int ReadVersionOffset = 19;
    private const byte WalVersion = 2;

    /// <inheritdoc/>
    public int PageSize => image.PageSize;

    /// <inheritdoc/>
    public long PageCount => image.PageCount;

    /// <inheritdoc/>
    public string Method => image.Method;

    /// <inheritdoc/>
    public long MissingPages => image.MissingPages;

    /// <inheritdoc/>
    public void Read(long firstPage, Span<byte> buffer)
    {
        image.Read(firstPage, buffer);
        if (firstPage == 1)
        {
            buffer[WriteVersionOffset] = buffer[ReadVersionOffset] = WalVersion;
        }
    }

    /// <inheritdoc/>
    public void ConfirmUnchanged() => image.ConfirmUnchanged();

    /// <inheritdoc/>
    public void Dispose()
    {
        // The image is the caller's.
    }
}
