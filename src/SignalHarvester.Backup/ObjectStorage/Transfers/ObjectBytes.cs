using SignalHarvester.Backup.Formats.Seekable;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>The bytes of one version of an object, read in ranges. If the object is replaced meanwhile, that is an error.</summary>
/// <param name="store">The store. It is not disposed here.</param>
/// <param name="version">The object.</param>
internal sealed class ObjectBytes(IObjectStore store, ObjectInfo version) : IStoredBytes
{
    /// <inheritdoc/>
    public long Length => version.Length;

    /// <inheritdoc/>
    public int PieceBytes => 1;

    /// <inheritdoc/>
    public bool IsRemote => true;

    /// <inheritdoc/>
    public bool IsAuthenticated => false;

    /// <inheritdoc/>
    public void Read(long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        if (offset + buffer.Length > version.Length)
        {
            throw new InvalidDataException("The file is cut short.");
        }

        if (!buffer.IsEmpty)
        {
            store.ReadAsync(version, offset, buffer, cancellation).GetAwaiter().GetResult();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The store stays open for whoever opened it.
    }
}
