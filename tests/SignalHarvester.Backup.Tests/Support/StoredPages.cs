using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Formats.Seekable;
using Xunit;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>Reads the pages of a backup as it lies.</summary>
internal static class StoredPages
{
    /// <summary>Asserts that the pages of a backup, read in any order with a small cache, are those of an image.</summary>
    public static void AreOf(byte[] image, BackupMetadata backup, BackupDirectory directory, Random random, IdentityRing? identities = null)
    {
        using var chain = OpenChain.Open(backup, directory, identities ?? IdentityRing.Empty);
        using var stored = StoredImage.TryOpen(
            [.. chain.Links.Select(link => (link.Backup, (IStoredBytes)new StoredFileBytes(link.File)))],
            chain.Identities,
            PageDigestSource.TryOpen(directory.Layout.DigestFolder, chain.Backup),
            new FrameCache(bytes: 1, new UnpackedFrames([directory.Layout.TemporaryParent]), CancellationToken.None),
            [directory.Layout.TemporaryParent],
            CancellationToken.None)!;
        Assert.Equal(image.Length, stored.PageCount * stored.PageSize);
        var pages = Enumerable.Range(1, (int)stored.PageCount).ToArray();
        random.Shuffle(pages);
        var content = new byte[stored.PageSize];
        foreach (var page in pages.Take(1000))
        {
            stored.Read(page, content);
            Assert.True(content.AsSpan().SequenceEqual(image.AsSpan((page - 1) * content.Length, content.Length)), $"page {page} of {backup.Id}");
        }
    }
}
