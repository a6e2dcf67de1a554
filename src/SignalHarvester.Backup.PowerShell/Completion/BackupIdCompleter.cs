using System.Collections;
using System.Globalization;
using SignalHarvester.Backup.PowerShell.Commands;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes ids of backups, newest first, and shows date, type and size of each.</summary>
public sealed class BackupIdCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) =>
        CompletedDirectory.Backups(given).Select(backup => (backup.Id, Describe(backup)));

    private static string Describe(BackupMetadata backup) => string.Create(
        CultureInfo.InvariantCulture,
        $"{backup.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm} UTC, {backup.Type}, {ProgressView.Size(backup.Size)}{(backup.DatabasePath is { } path ? ", " + Path.GetFileName(path) : string.Empty)}");
}
