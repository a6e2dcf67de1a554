using System.IO.Enumeration;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Health;

/// <summary>Everything known about the backups of one database at one moment: the input of the checks.</summary>
internal sealed record HealthScope
{
    /// <summary>The database; null if there is neither a backup nor a configured database.</summary>
    public string? Database { get; init; }

    /// <summary>The directory of its backups.</summary>
    public required BackupDirectory Directory { get; init; }

    /// <summary>Its backups, newest first, without safety backups.</summary>
    public required IReadOnlyList<BackupMetadata> Backups { get; init; }

    /// <summary>All backups of the directory by their ids, including those kept only because others build on them.</summary>
    public required IReadOnlyDictionary<string, BackupMetadata> All { get; init; }

    /// <summary>The secrets that open encrypted backups on this machine.</summary>
    public required IdentityRing Identities { get; init; }

    /// <summary>All events of the directory, newest first; empty if there is no history.</summary>
    public required IReadOnlyList<BackupEvent> Events { get; init; }

    /// <summary>The continuous protection of the database; null if it was never protected with this directory.</summary>
    public BackupProtection? Protection { get; init; }

    /// <summary>All schedules of this machine.</summary>
    public required IReadOnlyList<BackupSchedule> Schedules { get; init; }

    /// <summary>The configured settings.</summary>
    public required BackupSettings Settings { get; init; }

    /// <summary>The moment of the report.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The backups that a restore may rely on, newest first.</summary>
    public IEnumerable<BackupMetadata> Reliable => Backups.Where(backup => backup is { Verified: true, Depth: not null, IsSourceCorrupt: false });

    /// <summary>Whether a moment is further in the future than clocks differ: the clock was wrong then, or is now.</summary>
    public bool IsAhead(DateTimeOffset moment) => BackupOrder.IsAhead(moment, Now);

    /// <summary>Returns a reliable backup with all backups that it builds on.</summary>
    public IReadOnlyList<BackupMetadata> Links(BackupMetadata backup) => BackupChain.Resolve(backup, id => All.GetValueOrDefault(id));

    /// <summary>The parameters that name the directory in a command.</summary>
    public string InDirectory => $"-BackupDirectory {Quote(Directory.Path)}";

    /// <summary>Returns a command that makes a backup of the database.</summary>
    public string BackUp(string parameters = "") => $"New-SHBackup -LiteralPath {Quote(Database ?? "<your database>")} {InDirectory}{parameters}";

    /// <summary>Returns a command that tests a backup.</summary>
    public string Test(BackupMetadata backup) => $"Test-SHBackup {backup.Id} {InDirectory}";

    /// <summary>A command that lists the newest verified backup of the database.</summary>
    public string GetNewest =>
        Database is null ? $"Get-SHBackup {InDirectory} -Verified -Newest 1" : $"Get-SHBackup {InDirectory} -Database {Pattern(Database)} -Verified -Newest 1";

    /// <summary>Returns a text as a literal of PowerShell, for a command that people read and copy.</summary>
    public static string Quote(string text) => PowerShellText.Literal(text);

    /// <summary>Whether a schedule backs the database up.</summary>
    public bool IsCovered(BackupSchedule schedule) =>
        schedule.Action is ScheduleAction.Backup or ScheduleAction.Protect && Database is { } database && (schedule.DatabasePath.Count == 0
        ? Settings.Databases.Any(known => known.Path == database)
        : schedule.DatabasePath.Any(
            pattern => pattern == database || FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\", StringComparison.Ordinal), database)));

    private static string Pattern(string path) => Quote(
        path.IndexOfAny(['[', ']', '*', '?']) < 0 ? path : string.Concat(path.Select(one => one is '[' or ']' or '*' or '?' ? "`" + one : one.ToString())));
}
