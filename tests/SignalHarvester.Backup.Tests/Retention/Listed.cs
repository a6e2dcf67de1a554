using System.Globalization;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Tests.Retention;

/// <summary>Backups in the form of a listing, without a directory.</summary>
internal static class Listed
{
    public const string Database = "/srv/müll und daten/app.db";

    /// <summary>A verified full backup.</summary>
    /// <param name="moment">The moment, such as <c>2026-11-20 02:00</c>, in UTC unless it has an offset.</param>
    /// <param name="policy">Its retention policy; null for a manual one.</param>
    public static BackupMetadata At(string moment, RetentionPolicy? policy = null) =>
        At(DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal), policy);

    /// <inheritdoc cref="At(string, RetentionPolicy?)"/>
    public static BackupMetadata At(DateTimeOffset moment, RetentionPolicy? policy = null)
    {
        var id = BackupFileName.IdFor(moment);
        return new BackupMetadata
        {
            Id = id,
            Timestamp = moment,
            DatabasePath = Database,
            BackupDirectory = "/backups",
            BackupPath = $"/backups/{id}_full.db.zst",
            RetentionPolicy = policy,
            PageSize = 4096,
            PageCount = 100,
            PagesChecksum = new string('0', 64),
            Verified = true,
            VerificationTimestamp = moment.AddMinutes(1),
        };
    }

    /// <summary>Makes one backup for each day at 02:00, newest first.</summary>
    public static BackupMetadata[] Daily(string newest, int days, RetentionPolicy? policy = RetentionPolicy.Daily) =>
        [
            .. Enumerable.Range(0, days)
                .Select(day => At(DateTimeOffset.Parse(newest + " 02:00", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).AddDays(-day), policy)),
        ];

    public static BackupMetadata Unverified(this BackupMetadata backup) => backup with { Verified = false, VerificationTimestamp = null };

    public static BackupMetadata Failed(this BackupMetadata backup, DateTimeOffset when) => backup with { Verified = false, VerificationTimestamp = when };

    public static BackupMetadata On(this BackupMetadata backup, BackupMetadata parent) => backup.On(parent.Id);

    /// <summary>Returns the backup as an increment on another one, or on none.</summary>
    public static BackupMetadata On(this BackupMetadata backup, string? parentId) =>
        backup with { Type = BackupType.Incremental, ParentId = parentId, BackupPath = $"/backups/{backup.Id}_incremental.wal.zst" };
}
