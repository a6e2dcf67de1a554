namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>One piece of an image on its way through a pipeline: its plain bytes and its stored form.</summary>
internal sealed class Chunk
{
    /// <summary>Bytes in a chunk of an image, as it is read and as it is compressed into one frame.</summary>
    /// <remarks>A multiple of every page size. Larger frames gain under half a percent in size and cost memory.</remarks>
    public const int ImageBytes = 2 << 20;

    /// <summary>The plain bytes; <see cref="PlainLength"/> of them are in use.</summary>
    public byte[] Plain { get; private set; } = GC.AllocateUninitializedArray<byte>(ImageBytes);

    /// <summary>Bytes in use of <see cref="Plain"/>.</summary>
    public int PlainLength { get; set; }

    /// <summary>The stored bytes; <see cref="StoredLength"/> of them are in use.</summary>
    public byte[] Stored { get; private set; } = [];

    /// <summary>Bytes in use of <see cref="Stored"/>.</summary>
    public int StoredLength { get; set; }

    /// <summary>Where the plain bytes belong in the image.</summary>
    public long PlainOffset { get; set; }

    /// <summary>Which of several files the bytes are from; 0 if there is one.</summary>
    public int Link { get; set; }

    /// <summary>Whether the plain bytes are the stored ones: nothing was compressed, or it is decompressed already.</summary>
    public bool IsPlainOnly { get; set; }

    /// <summary>Sixteen bytes a page, where page digests are wanted.</summary>
    public byte[] PageDigests { get; set; } = [];

    /// <summary>The bytes in use of <see cref="Plain"/>.</summary>
    public Span<byte> PlainSpan => Plain.AsSpan(0, PlainLength);

    /// <summary>The bytes in use of <see cref="Stored"/>.</summary>
    public Span<byte> StoredSpan => IsPlainOnly ? PlainSpan : Stored.AsSpan(0, StoredLength);

    /// <summary>Forgets what was in it; the buffers stay.</summary>
    public void Clear()
    {
        (PlainLength, StoredLength, PlainOffset, Link) = (0, 0, 0, 0);
        (IsPlainOnly, IsTransformed) = (false, false);
    }

    /// <summary>Makes room for plain bytes, keeping none.</summary>
    public void EnsurePlainCapacity(int capacity)
    {
        if (Plain.Length < capacity)
        {
            Plain = GC.AllocateUninitializedArray<byte>(capacity);
        }
    }

    /// <summary>Makes room for stored bytes, keeping none.</summary>
    public void EnsureStoredCapacity(int capacity)
    {
        if (Stored.Length < capacity)
        {
            Stored = GC.AllocateUninitializedArray<byte>(capacity);
        }
    }

    /// <summary>Whether a worker has transformed the chunk. Belongs to the pipeline that the chunk is in.</summary>
    public bool IsTransformed { get; set; }
}
