using SignalHarvester.Backup.Formats.Digests;

namespace SignalHarvester.Backup.Formats;

/// <summary>What a scan of an image gives besides the page digests.</summary>
internal sealed record ImageScanOptions
{
    /// <summary>The digests of an earlier image to compare with; null if every page counts as changed.</summary>
    public PageDigestSource? Earlier { get; init; }

    /// <summary>Takes the image's own digests; null if they are not needed.</summary>
    public PageDigestFile? Digests { get; init; }

    /// <summary>Takes the image itself; null if nobody needs a copy.</summary>
    public IImageTarget? Copy { get; init; }

    /// <summary>
    /// Whether the SHA-256 of the image is computed too. It goes from front to back in one thread, and takes as long as everything else.
    /// </summary>
    public bool HasChecksum { get; init; }
}
