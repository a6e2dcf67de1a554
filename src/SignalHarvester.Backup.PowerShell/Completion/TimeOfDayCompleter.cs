using System.Collections;
using System.Globalization;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes times of day, which are UTC, and shows what time it is here then.</summary>
public sealed class TimeOfDayCompleter : WordCompleter
{
    private static readonly int[] Hours = [2, 3, 4, 12, 22];

    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given)
    {
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        return Hours.Select(hour => today.AddHours(hour)).Select(moment => (
            moment.ToString("HH:mm", CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"{moment:HH:mm} UTC, {TimeZoneInfo.ConvertTimeFromUtc(moment, TimeZoneInfo.Local):HH:mm} here")));
    }
}
