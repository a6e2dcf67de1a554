namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>One worker of a <see cref="ChunkPipeline"/>. It may keep buffers of its own from one chunk to the next.</summary>
internal interface IChunkWorker : IDisposable
{
    /// <summary>Transforms a chunk in place.</summary>
    void Transform(Chunk chunk);
}
