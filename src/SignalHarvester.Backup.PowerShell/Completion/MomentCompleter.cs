using System.Collections;
using System.Globalization;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the moments of backups in local time, newest first, and shows which backup it is.</summary>
public sealed class MomentCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) =>
        CompletedDirectory.Backups(given).Select(backup =>
        {
            // The next whole second, so that the backup itself is before it.
            var second = new DateTimeOffset(((backup.Timestamp.UtcTicks / TimeSpan.TicksPerSecond) + 1) * TimeSpan.TicksPerSecond, TimeSpan.Zero);
            var database = backup.DatabasePath is { } path ? $" of {CompletedWord.FileName(path)}" : string.Empty;
            return (second.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), $"{backup.Type} backup{database}, {backup.Id}");
        });
}
