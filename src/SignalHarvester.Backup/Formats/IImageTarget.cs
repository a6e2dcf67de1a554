namespace SignalHarvester.Backup.Formats;

/// <summary>Takes an image in pieces, at any place, from several threads at once.</summary>
internal interface IImageTarget
{
    /// <summary>Writes at an offset.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);
}
