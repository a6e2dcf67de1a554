using Prometheus;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Metrics;

/// <summary>
/// All metrics of one backup directory at one moment, in a registry of their own: counters and histograms from the history,
/// gauges from the catalogue. Names, labels and buckets of the first 13 are the predecessor's. docs/METRICS.md explains each.
/// </summary>
internal sealed class MetricSet
{
    /// <summary>The time for which a database without any backup left is still reported.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(35);

    private const string NoPath = "unknown";
    private const string Undecided = "auto";
    private const string Manual = "manual";

    private static readonly string[] Types = [.. Enum.GetValues<BackupType>().Select(EventRow.Text)];
    private static readonly string[] Statuses = [.. Enum.GetValues<BackupEventStatus>().Select(EventRow.Text)];
    private static readonly string[] Providers = [.. Enum.GetValues<CloudProvider>().Select(EventRow.Text)];
    private static readonly string[] Policies = [.. Enum.GetValues<RetentionPolicy>().Select(EventRow.Text), Manual];

    private readonly CollectorRegistry registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly MetricFactory factory;
    private readonly CatalogListing listing;
    private readonly HistoryTotals totals;
    private readonly IReadOnlyList<BackupProtection> protections;
    private readonly MetricOptions options;
    private readonly DateTimeOffset now;

    private MetricSet(
        CatalogListing listing, HistoryTotals totals, IReadOnlyList<BackupProtection> protections, MetricOptions options, DateTimeOffset now)
    {
        this.listing = listing;
        this.totals = totals;
        this.protections = protections;
        this.options = options;
        this.now = now;
        factory = Prometheus.Metrics.WithCustomRegistry(registry);
        if (options.Labels.Count > 0)
        {
            registry.SetStaticLabels(options.Labels.ToDictionary(StringComparer.Ordinal));
        }
    }

    /// <summary>Derives the metrics.</summary>
    /// <param name="listing">The catalogue.</param>
    /// <param name="totals">The history.</param>
    /// <param name="protections">The continuous protection of databases.</param>
    /// <param name="options">Further values for them.</param>
    /// <param name="now">The moment from which ages are measured.</param>
    public static CollectorRegistry Of(
        CatalogListing listing, HistoryTotals totals, IReadOnlyList<BackupProtection> protections, MetricOptions options, DateTimeOffset now)
    {
        var set = new MetricSet(listing, totals, protections, options, now);
        set.AddRuns();
        set.AddTransfers();
        set.AddChecks();
        set.AddStock();
        set.AddDatabases();
        set.AddStreams();
        set.AddBuild();
        return set.registry;
    }

    private void AddRuns()
    {
        var runs = Counter("backup_runs_total", "Backup runs.", ["backup_type", "status"], Pairs(Types, Statuses));
        var durations = Histogram("backup_duration_seconds", "Duration of successful backups.", ["backup_type"], HistoryBuckets.Seconds);
        var sizes = Histogram("backup_size_bytes", "Size of the new backup files, as stored.", ["backup_type", "compression"], HistoryBuckets.Bytes);
        var errors = Counter(
            "backup_errors_total", "Failed operations.", ["backup_type", "error_type"], Pairs(Types, ["creation", "verification", "upload", "restore"]));
        foreach (var total in totals.Events)
        {
            var type = Name(total.Type, Undecided);
            if (total.Status == BackupEventStatus.Failed && ErrorType(total) is { } error)
            {
                errors.WithLabels(type, error).Inc(total.Events);
            }

            if (total.Operation == BackupOperation.Create)
            {
                runs.WithLabels(type, EventRow.Text(total.Status)).Inc(total.Events);
                if (total.Status == BackupEventStatus.Success)
                {
                    Observe(durations.WithLabels(type), total.Duration.TotalSeconds, total.Events, HistoryBuckets.Seconds);
                    Observe(sizes.WithLabels(type, Name(total.Compression, "none")), total.Bytes, total.Events, HistoryBuckets.Bytes);
                }
            }
        }
    }

    private void AddTransfers()
    {
        var uploads = Counter("backup_uploads_total", "Uploads of backups to object stores.", ["provider", "status"], Pairs(Providers, Statuses));
        var durations = Histogram("backup_upload_duration_seconds", "Duration of successful uploads.", ["provider"], HistoryBuckets.Seconds);
        foreach (var total in totals.Events.Where(total => total is { Operation: BackupOperation.Upload, Provider: not null }))
        {
            var provider = Name(total.Provider, string.Empty);
            uploads.WithLabels(provider, EventRow.Text(total.Status)).Inc(total.Events);
            if (total.Status == BackupEventStatus.Success)
            {
                Observe(durations.WithLabels(provider), total.Duration.TotalSeconds, total.Events, HistoryBuckets.Seconds);
            }
        }
    }

    private void AddChecks()
    {
        var verifications = Counter(
            "backup_verifications_total", "Verifications of backups, including those of new backups.", ["status"], Statuses.Select(status => new[] { status }));
        var restores = Counter("backup_restores_total", "Restores of backups.", ["status"], Statuses.Select(status => new[] { status }));
        var pruned = Counter(
            "backup_retention_pruned_total", "Backups removed by retention.", ["retention_policy"], Policies.Select(policy => new[] { policy }));
        var scrubs = Counter(
            "shbackup_scrubs_total", "Finished scrubs, and files that a scrub repaired or found damaged, missing or unreadable.", ["status"],
            Statuses.Select(status => new[] { status }));
        foreach (var total in totals.Events)
        {
            switch (total.Operation)
            {
                case BackupOperation.Scrub:
                    scrubs.WithLabels(EventRow.Text(total.Status)).Inc(total.Events);
                    break;
                case BackupOperation.Verify:
                    verifications.WithLabels(EventRow.Text(total.Status)).Inc(total.Events);
                    break;
                case BackupOperation.Create when total.Verified is { } passed:
                    verifications.WithLabels(EventRow.Text(passed ? BackupEventStatus.Success : BackupEventStatus.Failed)).Inc(total.Events);
                    break;
                case BackupOperation.Restore:
                    restores.WithLabels(EventRow.Text(total.Status)).Inc(total.Events);
                    break;
                case BackupOperation.Retention when total.Status == BackupEventStatus.Success:
                    pruned.WithLabels(Name(total.RetentionPolicy, Manual)).Inc(total.Backups);
                    break;
            }
        }
    }

    private void AddStock()
    {
        var regular = listing.Backups.Where(backup => !backup.IsSafety).ToList();
        if (regular.Count > 0)
        {
            Gauge("backup_oldest_age_seconds", "Age of the oldest backup.", []).Set(Age(regular.Min(backup => backup.Timestamp)));
            Gauge("backup_newest_age_seconds", "Age of the newest backup.", []).Set(Age(regular[0].Timestamp));
        }

        var count = Gauge("backup_total_count", "Listed backups.", ["backup_type"]);
        foreach (var type in Enum.GetValues<BackupType>())
        {
            count.WithLabels(EventRow.Text(type)).Set(listing.Backups.Count(backup => backup.Type == type));
        }

        Gauge("backup_total_size_bytes", "Size of all listed backup files, as stored.", []).Set(listing.Backups.Sum(backup => backup.Size));
        Gauge("shbackup_unusable_sidecars", "Unusable sidecar files, whose backups are not listed.", []).Set(listing.Faults.Count);
    }

    private void AddDatabases()
    {
        var backups = listing.Backups.Where(backup => !backup.IsSafety).ToLookup(backup => backup.DatabasePath ?? NoPath, StringComparer.Ordinal);
        var lastSuccess = Gauge("shbackup_last_success_timestamp_seconds", "Unix time of the start of a database's last successful backup.", ["database"]);
        var lastDrill = Gauge(
            "shbackup_last_drill_success_timestamp_seconds", "Unix time of the start of a database's last successful restore drill.", ["database"]);
        var interval = Gauge("shbackup_expected_interval_seconds", "The time between two backups of a database, as its schedule promises.", ["database"]);
        var count = Gauge("shbackup_backups", "Backups of a database, without safety backups.", ["database"]);
        var unverified = Gauge(
            "shbackup_unverified_backups", "Backups of a database that are not verified, failed their verification, or have a broken chain.", ["database"]);
        var leastRead = Gauge(
            "shbackup_oldest_check_timestamp_seconds", "Unix time of the oldest last good reading among a database's stored files; 0 if one was never read.",
            ["database"]);
        var saved = Gauge("shbackup_incremental_saved_bytes", "How much smaller the increments of a database are than their full backups.", ["database"]);
        var remembered = totals.LatestSuccess.Where(latest => latest.Key.Operation == BackupOperation.Create && now - latest.Value <= Remembered)
            .Select(latest => latest.Key.Database);
        foreach (var database in backups.Select(group => group.Key).Union(remembered, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var own = backups[database].ToList();
            count.WithLabels(database).Set(own.Count);
            unverified.WithLabels(database).Set(own.Count(backup => backup is not { Verified: true, Depth: not null }));
            saved.WithLabels(database).Set(Saved(own));
            if (own.Count > 0)
            {
                leastRead.WithLabels(database).Set(UnixSeconds(own.Min(backup => Known(backup.LastRead))));
            }

            // The catalogue knows it too, in case the history was deleted.
            var newest = Known(own.FirstOrDefault()?.Timestamp);
            var recorded = Known(totals.LatestSuccess.GetValueOrDefault((BackupOperation.Create, database), DateTimeOffset.UnixEpoch));
            lastSuccess.WithLabels(database).Set(UnixSeconds(newest > recorded ? newest : recorded));
            DateTimeOffset[] drills =
            [
                .. ((BackupOperation[])[BackupOperation.Drill, BackupOperation.StreamDrill])
                    .Where(operation => totals.LatestSuccess.ContainsKey((operation, database)))
                    .Select(operation => Known(totals.LatestSuccess[(operation, database)])),
            ];
            if (drills.Length > 0)
            {
                lastDrill.WithLabels(database).Set(UnixSeconds(drills.Max()));
            }

            if (options.ExpectedInterval(database) is { } expected)
            {
                interval.WithLabels(database).Set(expected.TotalSeconds);
            }
        }
    }

    private void AddStreams()
    {
        var lag = Gauge(
            "shbackup_stream_lag_seconds", "Age of a database's oldest transaction that is not stored; if nobody looks, the time since the last look.",
            ["database"]);
        var look = Gauge("shbackup_stream_last_look_timestamp_seconds", "Unix time at which a database was last looked at for transactions.", ["database"]);
        var stored = Gauge("shbackup_stream_last_stored_timestamp_seconds", "Unix time at which a database's last transaction was stored.", ["database"]);
        var log = Gauge("shbackup_stream_log_bytes", "Bytes in the write-ahead log of a database that is protected continuously.", ["database"]);
        var state = Gauge("shbackup_stream_state", "1 for the state of a database's continuous protection, 0 for the others.", ["database", "state"]);
        var fenced = Gauge("shbackup_stream_fenced", "1 if another writer has continued a database's stream.", ["database"]);
        var delay = Gauge("shbackup_stream_delay_seconds", "Time from a commit to its storage, of the last day.", ["database", "quantile"]);
        var read = Counter("shbackup_stream_transactions_total", "Number of the last transaction that was read.", ["database"], []);
        var kept = Counter("shbackup_stream_stored_transactions_total", "Number of the last transaction that is stored.", ["database"], []);
        var segments = Counter("shbackup_stream_segments_total", "Segments stored since the start of the protection.", ["database"], []);
        var bytes = Counter("shbackup_stream_bytes_total", "Bytes of segments stored since the start of the protection.", ["database"], []);
        var gaps = Counter(
            "shbackup_stream_gaps_total", "How often, since the start of the protection, a backup had to take the place of transactions.", ["database"], []);
        var audited = Gauge(
            "shbackup_stream_last_audit_timestamp_seconds", "Unix time at which a whole database was last held against its transactions.", ["database"]);
        var findings = Counter(
            "shbackup_stream_audit_findings_total", "How often pages differed that no transaction had written; 0 again three days after the last time.",
            ["database"], []);
        var missing = Gauge("shbackup_stream_missing_segments", "Segments of a database's stream that somebody has deleted from the store.", ["database"]);
        foreach (var one in protections)
        {
            var database = one.Database;
            lag.WithLabels(database).Set(Lag(one).TotalSeconds);
            SetMoment(look, database, one.LastLook);
            SetMoment(stored, database, one.LastStored);
            log.WithLabels(database).Set(one.LogBytes);
            foreach (var known in Enum.GetValues<ProtectionState>().Where(known => known != ProtectionState.None))
            {
                state.WithLabels(database, EventRow.Text(known)).Set(one.State == known ? 1 : 0);
            }

            fenced.WithLabels(database).Set(one.State == ProtectionState.Fenced ? 1 : 0);
            SetDelay("0.5", one.DelayMedian);
            SetDelay("0.99", one.DelayP99);
            SetDelay("1", one.DelayWorst);
            read.WithLabels(database).IncTo(one.Transaction);
            kept.WithLabels(database).IncTo(one.StoredTransaction);
            segments.WithLabels(database).IncTo(one.Segments);
            bytes.WithLabels(database).IncTo(one.SegmentBytes);
            gaps.WithLabels(database).IncTo(one.Gaps);
            SetMoment(audited, database, one.LastAudit);
            findings.WithLabels(database).IncTo(one.AuditFindings);
            missing.WithLabels(database).Set(one.MissingSegments);

            void SetDelay(string quantile, TimeSpan? value)
            {
                if (value is { } measured)
                {
                    delay.WithLabels(database, quantile).Set(measured.TotalSeconds);
                }
            }
        }
    }

    /// <summary>The lag; of a protection that should look and does not, at least the time since it did: nobody knows what was committed meanwhile.</summary>
    private TimeSpan Lag(BackupProtection one)
    {
        var blind = one.State is ProtectionState.Ended or ProtectionState.Waiting && (one.LastLook ?? one.Since) is { } last ? now - last : TimeSpan.Zero;
        return blind > one.Lag ? blind : one.Lag;
    }

    private static void SetMoment(Gauge gauge, string database, DateTimeOffset? moment)
    {
        if (moment is { } known)
        {
            gauge.WithLabels(database).Set(UnixSeconds(known));
        }
    }

    private void AddBuild() => Gauge("shbackup_build_info", "Always 1; its labels name the versions behind these metrics.", ["version", "sqlite"])
        .WithLabels(typeof(MetricSet).Assembly.GetName().Version!.ToString(3), SqliteLibrary.Version).Set(1);

    /// <summary>The kind of a failure, as in the Python tool; null for operations that it did not count.</summary>
    private static string? ErrorType(EventTotal total) => total.Operation switch
    {
        BackupOperation.Create => total.Verified == false ? "verification" : "creation",
        BackupOperation.Verify => "verification",
        BackupOperation.Upload => "upload",
        BackupOperation.Restore => "restore",
        _ => null,
    };

    /// <summary>Returns how many bytes the increments save, each compared with the full backup at the root of its chain.</summary>
    private static long Saved(List<BackupMetadata> backups)
    {
        var byId = backups.ToDictionary(backup => backup.Id, StringComparer.Ordinal);
        return backups.Where(backup => backup.Depth > 0).Sum(increment =>
        {
            var root = increment;
            while (BackupChain.IsIncrement(root) && root.ParentId is { } parent && byId.TryGetValue(parent, out var below))
            {
                root = below;
            }

            return BackupChain.IsIncrement(root) ? 0 : Math.Max(0, root.Size - increment.Size);
        });
    }

    private Counter Counter(string name, string help, string[] labels, IEnumerable<string[]> known)
    {
        var counter = factory.CreateCounter(name, help, labels);
        foreach (var values in known)
        {
            // From the beginning at 0, so that a first failure is an increase, which alerts can see.
            _ = counter.WithLabels(values);
        }

        return counter;
    }

    private Histogram Histogram(string name, string help, string[] labels, double[] buckets) =>
        factory.CreateHistogram(name, help, new HistogramConfiguration { LabelNames = labels, Buckets = buckets });

    private Gauge Gauge(string name, string help, string[] labels) => factory.CreateGauge(name, help, labels);

    /// <summary>Observes the events of one bucket, of which only the sum is known, as that many times their mean.</summary>
    private static void Observe(Histogram.Child histogram, double? sum, long events, double[] bounds)
    {
        if (sum is not { } all || events == 0)
        {
            return;
        }

        // The mean of a bucket's values is within the bucket; its rounding might not be.
        var mean = all / events;
        var bound = Array.Find(bounds, bound => mean <= Math.BitIncrement(bound));
        histogram.Observe(bound > 0 ? Math.Min(mean, bound) : mean, events);
    }

    /// <summary>Returns the moment, or 0 if it is missing or in the future: that would look healthy until then, and its true time is unknown.</summary>
    private DateTimeOffset Known(DateTimeOffset? moment) => moment is { } past && !BackupOrder.IsAhead(past, now) ? past : DateTimeOffset.UnixEpoch;

    private double Age(DateTimeOffset moment) => (now - moment).TotalSeconds;

    private static double UnixSeconds(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static string Name<T>(T? value, string none)
        where T : struct, Enum => value is { } given ? EventRow.Text(given) : none;

    private static IEnumerable<string[]> Pairs(string[] first, string[] second) => first.SelectMany(one => second.Select(two => new[] { one, two }));
}
