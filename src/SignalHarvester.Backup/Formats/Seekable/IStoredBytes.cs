namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// The bytes of a stored file, read in any order: a file, an object in a store, or what either decrypts to. Several threads may read at
/// once.
/// </summary>
internal interface IStoredBytes : IDisposable
{
    /// <summary>Bytes in all.</summary>
    long Length { get; }

    /// <summary>The fewest bytes that are worth a read: 1 where a short one costs little.</summary>
    int PieceBytes { get; }

    /// <summary>Whether a read can take long, because it goes over a network: then neighbours are read in one go, and ahead of time.</summary>
    bool IsRemote { get; }

    /// <summary>Whether what was read is authenticated, so that a changed byte cannot go unnoticed.</summary>
    bool IsAuthenticated { get; }

    /// <summary>Fills a buffer.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="buffer">The buffer to fill completely.</param>
    /// <param name="cancellation">Stops a read over a network.</param>
    /// <exception cref="InvalidDataException">The content ends earlier, or does not authenticate.</exception>
    /// <exception cref="BackupException">The Cloud… errors of an object.</exception>
    void Read(long offset, Memory<byte> buffer, CancellationToken cancellation);
}
