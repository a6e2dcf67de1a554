namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image as it would be if its change counter had not been advanced.</summary>
/// <param name="image">The image; it stays the caller's.</param>
/// <param name="counter">What has advanced it.</param>
internal sealed class ImageWithFormerCounter(IDatabaseImage image, ChangeCounter counter) : IDatabaseImage
{
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
            counter.Undo(buffer);
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
