namespace SignalHarvester.Backup.Formats;

/// <summary>Where an image is put together: written in pieces at any place, by several threads at once, and read back.</summary>
internal interface IImageTarget
{
    /// <summary>Tells how long the image will be; what is never written is zeros.</summary>
    void SetLength(long length);

    /// <summary>Writes at an offset.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Reads back what was written.</summary>
    void Read(Span<byte> buffer, long offset);
}
