using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>Chooses the backups that a scrub reads, in order: the one whose last reading is oldest comes first.</summary>
public static class ScrubPlan
{
    /// <summary>Chooses the backups, including retired ones, because others cannot be restored without them.</summary>
    /// <param name="directory">Their directory.</param>
    /// <param name="percent">The least share of all stored bytes to read, in percent; null for all.</param>
    /// <param name="now">The time. A reading dated in the future has an unknown age.</param>
    /// <param name="fault">Called for each unusable sidecar.</param>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public static IReadOnlyList<BackupMetadata> Of(BackupDirectory directory, int? percent, DateTimeOffset now, Action<BackupException> fault)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(fault);
        var listing = directory.ListAll();
        foreach (var one in listing.Faults)
        {
            fault(one);
        }

        var rotation = listing.Backups
            .OrderBy(backup => backup.LastRead is { } read && !BackupOrder.IsAhead(read, now) ? read : DateTimeOffset.MinValue)
            .ThenBy(backup => backup.Id, StringComparer.Ordinal)
            .ToList();
        var wanted = rotation.Sum(backup => (decimal)backup.Size) * (percent ?? 100) / 100;
        decimal taken = 0;
        return [.. rotation.TakeWhile(backup =>
        {
            var isWanted = percent is null || taken < wanted || taken == 0;
            taken += backup.Size;
            return isWanted;
        })];
    }
}
