namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image as it would be if its change counter had not been advanced.</summary>
/// <param name="image">The image; it stays the caller's.</param>
/// <param name="counter">What has advanced it.</param>
internal sealed class ImageWithFormerCounter(IDatabaseImage image, ChangeCounter counter) : ChangedImage(image)
{
    /// <inheritdoc/>
    protected override void Change(Span<byte> firstPage) => counter.Undo(firstPage);
}
