using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>
/// Verifies a new increment without unpacking its chain. The stored bytes of its parents are those whose content an earlier full test
/// proved; the pages that it stores are those of a copy of the snapshot; and every other page of that copy has the digest of the
/// parent's page. So the chain unpacks to that copy, and the copy is checked as a database.
/// </summary>
/// <param name="copy">The copy of the snapshot.</param>
/// <param name="changed">The pages whose digests differ from the parent's, and which the increment must therefore store.</param>
/// <param name="verifier">Checks the single parts.</param>
internal sealed class IncrementVerifier(SnapshotCopy copy, PageSet changed, ImageVerifier verifier)
{
    private string? difference;

    /// <summary>Whether an earlier full test proved what the stored bytes of a parent and its chain unpack to.</summary>
    /// <param name="parent">The parent, as recorded now.</param>
    public static bool IsProved(BackupMetadata parent) =>
        parent is { Verified: true, VerificationLevel: VerificationLevel.Full, IsSourceCorrupt: false, PagesChecksum: not null };

    /// <inheritdoc cref="IsProved(BackupMetadata)"/>
    /// <param name="parents">The parent's chain, as recorded now.</param>
    public static bool IsProved(OpenChain parents) =>
        parents.Links.All(link => link.Backup.StoredChecksum is not null) && IsProved(parents.Backup);

    /// <summary>Verifies the increment.</summary>
    /// <param name="chain">The increment with its parents.</param>
    /// <param name="increment">The increment alone.</param>
    /// <param name="recorded">The content of the database as SQL shows it.</param>
    /// <param name="activity">The name of the step.</param>
    /// <returns>The checks, in their order. After the first failure only explanations follow.</returns>
    /// <exception cref="BackupException">InsufficientSpace, WriteFailed, ReadFailed: the check itself could not be made.</exception>
    public IReadOnlyList<VerificationCheck> Verify(OpenChain chain, OpenChain increment, ImageContent recorded, string activity)
    {
        var stored = new PageSet(chain.Backup.PageCount!.Value);
        var checks = verifier.VerifyIncrement(increment, activity, (page, content) => Take(page, content, stored));
        Continue(() => [verifier.VerifyParents(chain, activity)]);
        Continue(() => [Image(chain, stored)]);
        Continue(() => verifier.Inspect(copy.Path, recorded));
        return checks;

        void Continue(Func<IEnumerable<VerificationCheck>> next)
        {
            if (checks.TrueForAll(check => check.Passed))
            {
                checks.AddRange(next());
            }
        }
    }

    private void Take(long page, ReadOnlySpan<byte> content, PageSet stored)
    {
        if (!stored.Add(page) || !changed.Contains(page) || !copy.Has(page, content))
        {
            difference ??= FormattableString.Invariant($"page {page} of the increment differs from the database that was read");
        }
    }

    private VerificationCheck Image(OpenChain chain, PageSet stored)
    {
        if (stored.Count != changed.Count)
        {
            difference ??= FormattableString.Invariant($"the increment has {stored.Count} pages, but {changed.Count} changed");
        }

        var parent = chain.Links[^2].Backup;
        return new VerificationCheck(VerificationChecks.ImageChecksum, difference is null, difference ?? FormattableString.Invariant(
            $"{chain.Backup.Checksum}: {stored.Count} pages were compared with the database, and all others are those of '{parent.Id}', which passed a full test on {parent.VerificationTimestamp:yyyy-MM-dd HH:mm:ss}Z"));
    }
}
