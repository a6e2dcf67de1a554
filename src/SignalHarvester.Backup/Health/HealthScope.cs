using System.IO.Enumeration;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>All that is known of the backups of one database at one moment: what the checks are made of.</summary>
internal sealed record HealthScope
{
    /// <summary>The database; null if there is neither a backup nor a configured database.</summary>
    public string? Database { get; init; }

    /// <summary>The directory of its backups.</summary>
    public required BackupDirectory Directory { get; init; }

    /// <summary>Its backups, newest first, without safety backups.</summary>
    public required IReadOnlyList<BackupMetadata> Backups { get; init; }

    /// <summary>All backups of the directory by their ids, those too that are kept only for what builds on them.</summary>
    public required IReadOnlyDictionary<string, BackupMetadata> All { get; init; }

    /// <summary>What opens encrypted backups on this machine.</summary>
    public required IdentityRing Identities { get; init; }

    /// <summary>All events of the directory, newest first; empty if there is no history.</summary>
    public required IReadOnlyList<BackupEvent> Events { get; init; }

    /// <summary>All schedules of this machine.</summary>
    public required IReadOnlyList<BackupSchedule> Schedules { get; init; }

    /// <summary>What is configured.</summary>
    public required BackupSettings Settings { get; init; }

    /// <summary>The moment that it is looked at.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The backups that a restore may rely on, newest first.</summary>
    public IEnumerable<BackupMetadata> Reliable => Backups.Where(backup => backup is { Verified: true, Depth: not null, IsSourceCorrupt: false });

    /// <summary>Whether a moment is further in the future than clocks differ: the clock was wrong then, or is now.</summary>
    public bool IsAhead(DateTimeOffset moment) => BackupOrder.IsAhead(moment, Now);

    /// <summary>A reliable backup with all that it builds on.</summary>
    public IReadOnlyList<BackupMetadata> Links(BackupMetadata backup) => BackupChain.Resolve(backup, id => All.GetValueOrDefault(id));

    /// <summary>The parameters that name the directory in a command.</summary>
    public string InDirectory => $"-BackupDirectory {Quote(Directory.Path)}";

    /// <summary>A command that makes a backup of the database.</summary>
    public string BackUp(string parameters = "") => $"New-SHBackup -LiteralPath {Quote(Database ?? "./app.db")} {InDirectory}{parameters}";

    /// <summary>A command that lists the newest verified backup of the database.</summary>
    public string GetNewest =>
        Database is null ? $"Get-SHBackup {InDirectory} -Verified -Newest 1" : $"Get-SHBackup {InDirectory} -Database {Pattern(Database)} -Verified -Newest 1";

    /// <summary>A text as a literal of PowerShell's, for a command that people read and copy.</summary>
    public static string Quote(string text) => PowerShellText.Literal(text);

    /// <summary>Whether a schedule backs the database up.</summary>
    public bool IsCovered(BackupSchedule schedule) => schedule.Action == ScheduleAction.Backup && Database is { } database && (schedule.DatabasePath.Count == 0
        ? Settings.Databases.Any(known => known.Path == database)
        : schedule.DatabasePath.Any(
            pattern => pattern == database || FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\", StringComparison.Ordinal), database)));

    private static string Pattern(string path) => Quote(
        path.IndexOfAny(['[', ']', '*', '?']) < 0 ? path : string.Concat(path.Select(one => one is '[' or ']' or '*' or '?' ? "`" + one : one.ToString())));
}
