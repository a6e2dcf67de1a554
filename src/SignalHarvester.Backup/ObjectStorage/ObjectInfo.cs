namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>One version of an object.</summary>
/// <param name="Name">Its name, without the location's prefix.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Version">The service's mark of the version: an ETag or a generation.</param>
/// <param name="Modified">When it was written.</param>
internal sealed record ObjectInfo(string Name, long Length, string Version, DateTimeOffset Modified)
{
    /// <summary>
    /// The checksum that the service itself computed or keeps, as <c>algorithm:value</c>, such as md5:…, crc32c:…, crc64nvme:…,
    /// or etag:… if it has no other; null if a listing does not include it.
    /// </summary>
    public string? Checksum { get; init; }

    /// <summary>The recorded SHA-256 in lower-case hex; null if there is none, or a listing does not include it.</summary>
    public string? Sha256 { get; init; }
}
