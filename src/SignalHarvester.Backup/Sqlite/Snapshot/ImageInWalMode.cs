namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image whose header says WAL mode: the database was in that mode until a restore left it to overwrite the database.</summary>
/// <param name="image">The image. The caller disposes it.</param>
internal sealed class ImageInWalMode(IDatabaseImage image) : ChangedImage(image)
{
    private const int WriteVersionOffset = 18;
    private const int ReadVersionOffset = 19;
    private const byte WalVersion = 2;

    /// <inheritdoc/>
    protected override void Change(Span<byte> firstPage) => firstPage[WriteVersionOffset] = firstPage[ReadVersionOffset] = WalVersion;
}
