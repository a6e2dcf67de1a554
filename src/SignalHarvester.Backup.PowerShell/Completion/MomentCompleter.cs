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
            // The whole second after the backup, or before it for -After, so that the backup itself is among those that are meant.
            var seconds = (backup.Timestamp.UtcTicks / TimeSpan.TicksPerSecond) + (parameter == "After" ? 0 : 1);
            var second = new DateTimeOffset(seconds * TimeSpan.TicksPerSecond, TimeSpan.Zero);
            var database = backup.DatabasePath is { } path ? $" of {CompletedWord.FileName(path)}" : string.Empty;
            return (second.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), $"{backup.Type} backup{database}, {backup.Id}");
        });
}
