namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>Unpacks frames, each by itself.</summary>
internal interface IFrameUnpacker : IChunkWorker
{
    /// <summary>Unpacks one frame.</summary>
    /// <param name="frame">Its stored bytes.</param>
    /// <param name="content">Takes its content, and has exactly its size.</param>
    /// <exception cref="InvalidDataException">The frame is damaged, or has another size.</exception>
    void Unpack(ArraySegment<byte> frame, Span<byte> content);

    /// <inheritdoc/>
    void IChunkWorker.Transform(Chunk chunk) => Unpack(new ArraySegment<byte>(chunk.Stored, 0, chunk.StoredLength), chunk.PlainSpan);
}
