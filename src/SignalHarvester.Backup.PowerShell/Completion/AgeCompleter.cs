using System.Collections;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes usual ages and durations.</summary>
public sealed class AgeCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) => parameter switch
    {
        "Every" => [("15m", "every 15 minutes"), ("1h", "every hour"), ("6h", "every 6 hours"), ("12h", "every 12 hours")],
        "Budget" => [("5m", "5 minutes"), ("30m", "30 minutes"), ("2h", "2 hours")],
        "RandomDelay" => [("5m", "up to 5 minutes"), ("10m", "up to 10 minutes"), ("30m", "up to 30 minutes")],
        "ExpectedInterval" => [("1h", "an hour"), ("1d", "a day"), ("7d", "a week")],
        "KeepWithin" => [("1d", "a day"), ("2d", "2 days"), ("7d", "a week")],
        _ => [("7d", "a week"), ("30d", "30 days"), ("90d", "90 days"), ("1y", "365 days")],
    };
}
