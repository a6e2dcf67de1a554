namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>What an object is stored with.</summary>
/// <param name="Sha256">The SHA-256 of its content in lower-case hex. Recorded in the object's metadata.</param>
/// <param name="ContentType">Its media type.</param>
internal sealed record ObjectAttributes(string Sha256, string ContentType)
{
    /// <summary>The metadata entry that holds the SHA-256.</summary>
    public const string Sha256Entry = "shbackup-sha256";

    /// <summary>The media type of a backup's file.</summary>
    public const string BackupType = "application/octet-stream";

    /// <summary>The media type of a sidecar.</summary>
    public const string SidecarType = "application/json";

    /// <summary>The MD5 of the whole content, 16 bytes: what Azure and Google keep beside an object. Null if it is not known.</summary>
    public ReadOnlyMemory<byte>? Md5 { get; init; }

    /// <summary>The CRC-32C of the whole content. Null if it is not known.</summary>
    public uint? Crc32C { get; init; }

    /// <summary>The CRC-64/NVME of the whole content. Null if it is not known.</summary>
    public ulong? Crc64Nvme { get; init; }
}
