namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>What one worker of a <see cref="ChunkPipeline"/> does to a chunk; it may keep buffers of its own between two.</summary>
internal interface IChunkWorker : IDisposable
{
    /// <summary>Transforms a chunk in place.</summary>
    void Transform(Chunk chunk);
}
