namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image whose header says that the database is in WAL mode: as it was, until a restore took it out of that to overwrite it.</summary>
/// <param name="image">The image; it stays the caller's.</param>
internal sealed class ImageInWalMode(IDatabaseImage image) : ChangedImage(image)
{
    private const int WriteVersionOffset = 18;
    private const int ReadVersionOffset = 19;
    private const byte WalVersion = 2;

    /// <inheritdoc/>
    protected override void Change(Span<byte> firstPage) => firstPage[WriteVersionOffset] = firstPage[ReadVersionOffset] = WalVersion;
}
