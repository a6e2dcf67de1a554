namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>Checksums of an object's whole content, in addition to its SHA-256.</summary>
[Flags]
internal enum ContentChecksums
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>MD5 (RFC 1321): no protection against intent, but services keep it.</summary>
    Md5 = 1,

    /// <summary>CRC-32C (Castagnoli).</summary>
    Crc32C = 2,

    /// <summary>CRC-64/NVME.</summary>
    Crc64Nvme = 4,
}
