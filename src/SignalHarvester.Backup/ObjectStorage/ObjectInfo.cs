namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>One version of an object.</summary>
/// <param name="Name">Its name, without the location's prefix.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Version">What the service tells versions apart with: an ETag or a generation.</param>
/// <param name="Modified">When it was written.</param>
internal sealed record ObjectInfo(string Name, long Length, string Version, DateTimeOffset Modified)
{
    /// <summary>
    /// The checksum that the service itself computed or keeps, as <c>algorithm:value</c>, such as md5:…, crc32c:…, crc64nvme:…,
    /// or etag:… where it has no other; null if a listing does not tell.
    /// </summary>
    public string? Checksum { get; init; }

    /// <summary>The SHA-256 that was recorded with it, in lower-case hex; null if none was, or a listing does not tell.</summary>
    public string? Sha256 { get; init; }
}
