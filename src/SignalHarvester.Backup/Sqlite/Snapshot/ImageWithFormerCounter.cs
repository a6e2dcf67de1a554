namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image with the change counter that it had before the counter was advanced.</summary>
/// <param name="image">The image. The caller disposes it.</param>
/// <param name="counter">The object that advanced it.</param>
internal sealed class ImageWithFormerCounter(IDatabaseImage image, ChangeCounter counter) : ChangedImage(image)
{
    /// <inheritdoc/>
    protected override void Change(Span<byte> firstPage) => counter.Undo(firstPage);
}
