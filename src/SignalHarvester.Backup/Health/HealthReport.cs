using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Health;

/// <summary>The health of one directory's backups, database by database. Reads only.</summary>
public sealed record HealthReport
{
    private HealthReport(IReadOnlyList<BackupHealth> databases, IReadOnlyList<BackupMetadata> backups, IReadOnlyList<BackupEvent> events) =>
        (Databases, Backups, Events) = (databases, backups, events);

    /// <summary>The databases, the worst first.</summary>
    public IReadOnlyList<BackupHealth> Databases { get; }

    /// <summary>The directory's backups, newest first, without safety backups.</summary>
    internal IReadOnlyList<BackupMetadata> Backups { get; }

    /// <summary>Its history, newest first.</summary>
    internal IReadOnlyList<BackupEvent> Events { get; }

    /// <summary>Checks a directory.</summary>
    /// <param name="directory">The directory. It need not exist.</param>
    /// <param name="settings">What is configured.</param>
    /// <param name="schedules">All schedules of this machine.</param>
    /// <param name="fault">Called for each unusable sidecar, and for an unreadable history.</param>
    /// <param name="context">Clock, messages.</param>
    /// <exception cref="BackupException">DirectoryUnreadable.</exception>
    public static HealthReport Of(
        BackupDirectory directory, BackupSettings settings, IReadOnlyList<BackupSchedule> schedules, Action<BackupException> fault, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(schedules);
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentNullException.ThrowIfNull(context);
        var listing = directory.Exists ? directory.ListAll() : new CatalogListing([], []);
        foreach (var one in listing.Faults)
        {
            fault(one);
        }

        BackupMetadata[] backups = [.. listing.Backups.Where(backup => backup is { IsSafety: false, IsRetired: false })];
        var all = listing.Backups.ToDictionary(backup => backup.Id, StringComparer.Ordinal);
        var identities = settings.Encryption.ToIdentities(context.Warn, context.Cancellation);
        var events = ReadEvents(directory, fault, context);
        string?[] databases =
        [
            .. settings.Databases.Where(known => directory.Path == Path.TrimEndingDirectorySeparator(Path.GetFullPath(known.BackupDirectory)))
            .Select(known => known.Path)
            .Union(backups.Select(backup => backup.DatabasePath).OfType<string>(), StringComparer.Ordinal)];
        var protections = ProtectionFolder.All(directory, fault).ToDictionary(one => one.Database, StringComparer.Ordinal);
        var unnamed = backups.Any(backup => backup.DatabasePath is null);
        var now = context.Clock.GetUtcNow();
        var found = databases.Concat(databases.Length == 0 || unnamed ? [null] : []).Select(database => Look(new HealthScope
        {
            Database = database,
            Directory = directory,
            Backups = [.. backups.Where(backup => backup.DatabasePath == database)],
            All = all,
            Identities = identities,
            Events = events,
            Protection = database is null ? null : protections.GetValueOrDefault(database),
            Schedules = schedules,
            Settings = settings,
            Now = now,
        }));
        return new HealthReport(
            [.. found.OrderByDescending(health => health.Status).ThenBy(health => health.DatabasePath, StringComparer.Ordinal)], backups, events);
    }

    /// <summary>The report of only the wanted databases.</summary>
    public HealthReport Where(Func<BackupHealth, bool> isWanted) => new([.. Databases.Where(isWanted)], Backups, Events);

    private static BackupHealth Look(HealthScope scope) => new()
    {
        DatabasePath = scope.Database,
        BackupDirectory = scope.Directory.Path,
        Timestamp = scope.Now,
        NewestVerified = scope.Reliable.FirstOrDefault()?.Timestamp,
        Backups = scope.Backups.Count,
        Size = scope.Backups.Sum(backup => backup.Size),
        Checks =
        [
            RecoveryChecks.Point(scope), RecoveryChecks.Time(scope), RecoveryChecks.Chain(scope), ContinuityChecks.Schedule(scope),
            ContinuityChecks.Copies(scope), RecoveryChecks.Encryption(scope), ContinuityChecks.Disk(scope), ContinuityChecks.Scrub(scope),
            .. ProtectionChecks.Of(scope),
        ],
    };

    private static IReadOnlyList<BackupEvent> ReadEvents(BackupDirectory directory, Action<BackupException> fault, OperationContext context)
    {
        if (!directory.Exists)
        {
            return [];
        }

        try
        {
            return new EventHistory(directory).Read(new EventQuery(), context);
        }
        catch (BackupException exception)
        {
            fault(exception);
            return [];
        }
    }
}
