namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>The attributes of an object.</summary>
/// <param name="Sha256">The SHA-256 of its content in lower-case hex. The object's metadata records it.</param>
/// <param name="ContentType">Its media type.</param>
internal sealed record ObjectAttributes(string Sha256, string ContentType)
{
    /// <summary>The metadata entry for the SHA-256.</summary>
    public const string Sha256Entry = "shbackup-sha256";

    /// <summary>The media type of a backup's file.</summary>
    public const string BackupType = "application/octet-stream";

    /// <summary>The media type of a sidecar.</summary>
    public const string SidecarType = "application/json";

    /// <summary>The MD5 of the whole content, 16 bytes, which Azure and Google keep with an object. Null if unknown.</summary>
    public ReadOnlyMemory<byte>? Md5 { get; init; }

    /// <summary>The CRC-32C of the whole content. Null if unknown.</summary>
    public uint? Crc32C { get; init; }

    /// <summary>The CRC-64/NVME of the whole content. Null if unknown.</summary>
    public ulong? Crc64Nvme { get; init; }
}
