namespace SignalHarvester.Backup.Formats;

/// <summary>A stored image.</summary>
/// <param name="ImageLength">Bytes of the image.</param>
/// <param name="Checksum">SHA-256 of the image, lower-case hex.</param>
/// <param name="StoredLength">Bytes of the file as stored.</param>
/// <param name="StoredChecksum">SHA-256 of the file as stored, lower-case hex.</param>
internal sealed record WrittenImage(long ImageLength, string Checksum, long StoredLength, string StoredChecksum)
{
    /// <summary>SHA-256 over the page digests, lower-case hex; null if they were not taken.</summary>
    public string? PagesChecksum { get; init; }

    /// <summary>Compares the image with what is read back; null if nobody will do so.</summary>
    public ContentSum? Sum { get; init; }
}
