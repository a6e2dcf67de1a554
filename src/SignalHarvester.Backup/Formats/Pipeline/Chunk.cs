namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>One piece of an image on its way through a pipeline: its plain bytes and its stored form.</summary>
internal sealed class Chunk
{
    /// <summary>Bytes in a chunk of an image. A chunk is read at once and compressed into one frame.</summary>
    /// <remarks>A multiple of every page size. Larger frames gain under half a percent in size and cost memory.</remarks>
    public const int ImageBytes = 2 << 20;

    private const int StoredStep = 256 << 10;

    /// <summary>The plain bytes; <see cref="PlainLength"/> of them are in use.</summary>
    public byte[] Plain { get; private set; } = GC.AllocateUninitializedArray<byte>(ImageBytes);

    /// <summary>Used bytes of <see cref="Plain"/>.</summary>
    public int PlainLength { get; set; }

    /// <summary>The stored bytes; <see cref="StoredLength"/> of them are in use.</summary>
    public byte[] Stored { get; private set; } = [];

    /// <summary>Used bytes of <see cref="Stored"/>.</summary>
    public int StoredLength { get; set; }

    /// <summary>The place of the plain bytes in the image.</summary>
    public long PlainOffset { get; set; }

    /// <summary>The number of the file from which the bytes came, among several; 0 if there is only one.</summary>
    public int Link { get; set; }

    /// <summary>Whether the plain bytes are also the stored ones: nothing was compressed, or it is decompressed already.</summary>
    public bool IsPlainOnly { get; set; }

    /// <summary>Sixteen bytes for each page, if page digests are wanted.</summary>
    public byte[] PageDigests { get; set; } = [];

    /// <summary>The used bytes of <see cref="Plain"/>.</summary>
    public Span<byte> PlainSpan => Plain.AsSpan(0, PlainLength);

    /// <summary>The used bytes of <see cref="Stored"/>.</summary>
    public Span<byte> StoredSpan => IsPlainOnly ? PlainSpan : Stored.AsSpan(0, StoredLength);

    /// <summary>Forgets the content; the buffers stay.</summary>
    public void Clear()
    {
        (PlainLength, StoredLength, PlainOffset, Link) = (0, 0, 0, 0);
        (IsPlainOnly, IsTransformed) = (false, false);
    }

    /// <summary>Makes room for plain bytes. The present ones may be lost.</summary>
    public void EnsurePlainCapacity(int capacity)
    {
        if (Plain.Length < capacity)
        {
            Plain = GC.AllocateUninitializedArray<byte>(capacity);
        }
    }

    /// <summary>Makes room for stored bytes. The present ones may be lost.</summary>
    public void EnsureStoredCapacity(int capacity)
    {
        if (Stored.Length < capacity)
        {
            // Frames differ a little in size: without a step, each somewhat larger one would leave its predecessor's buffer to the collector.
            Stored = GC.AllocateUninitializedArray<byte>((capacity + StoredStep - 1) / StoredStep * StoredStep);
        }
    }

    /// <summary>Whether a worker has transformed the chunk. The pipeline that holds the chunk uses it.</summary>
    public bool IsTransformed { get; set; }
}
