namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image with another first page; everything else comes from the image behind it.</summary>
/// <param name="image">The image. The caller disposes it.</param>
internal abstract class ChangedImage(IDatabaseImage image) : IDatabaseImage
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
            Change(buffer);
        }
    }

    /// <inheritdoc/>
    public void ConfirmUnchanged() => image.ConfirmUnchanged();

    /// <inheritdoc/>
    public void Dispose()
    {
        // The caller disposes the image.
    }

    /// <summary>Changes the first page, which is at the beginning of the buffer.</summary>
    protected abstract void Change(Span<byte> firstPage);
}
