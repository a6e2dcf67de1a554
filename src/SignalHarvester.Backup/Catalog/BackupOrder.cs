namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The order in which the backups of a directory were made, which a wrong clock must not change. It is the order of the
/// timestamps as long as the clock goes forward; a backup made after one with a later date gets the next place after
/// that, and its sidecar says so. See docs/FORMAT.md.
/// </summary>
public static class BackupOrder
{
    /// <summary>The usual difference between clocks.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private static readonly Comparer<BackupMetadata> Newest = Comparer<BackupMetadata>.Create((one, other) =>
        other.Order.CompareTo(one.Order) is var order and not 0 ? order : string.CompareOrdinal(other.Id, one.Id));

    // A forged sidecar may name the end of time, after which there is no place.
    private static readonly DateTimeOffset Last = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Sorts backups by their order, the latest first.</summary>
    public static IOrderedEnumerable<BackupMetadata> NewestFirst(this IEnumerable<BackupMetadata> backups) =>
        backups.OrderBy(backup => backup, Newest);

    /// <summary>Whether a moment is further in the future than clocks differ: the clock was wrong then, or is now.</summary>
    /// <param name="moment">The date of the record.</param>
    /// <param name="now">The time.</param>
    public static bool IsAhead(DateTimeOffset moment, DateTimeOffset now) => moment - now > Skew;

    /// <summary>Returns the place of a new backup.</summary>
    /// <param name="moment">The moment of its snapshot.</param>
    /// <param name="there">All existing backups.</param>
    internal static DateTimeOffset Next(DateTimeOffset moment, IEnumerable<BackupMetadata> there) => Behind(moment, there.Select(backup => backup.Order));

    /// <summary>Returns the place of a verification.</summary>
    /// <param name="moment">Its moment.</param>
    /// <param name="others">The backups whose verifications were recorded before it.</param>
    internal static DateTimeOffset NextVerification(DateTimeOffset moment, IEnumerable<BackupMetadata> others) =>
        Behind(moment, others.Select(backup => backup.VerificationOrder).OfType<DateTimeOffset>());

    private static DateTimeOffset Behind(DateTimeOffset moment, IEnumerable<DateTimeOffset> places)
    {
        // No more exact than a sidecar.
        var own = moment.AddTicks(-(moment.Ticks % TimeSpan.TicksPerMicrosecond));
        var latest = places.DefaultIfEmpty(DateTimeOffset.MinValue).Max();
        return own > latest ? own : latest < Last ? latest.AddMicroseconds(1) : latest;
    }
}
