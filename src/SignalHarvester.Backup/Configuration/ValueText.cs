using System.Globalization;
using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Configuration;

/// <summary>Reads single values, strictly and the same in every culture.</summary>
internal static partial class ValueText
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);

    /// <summary>What <see cref="ToFlag"/> accepts.</summary>
    public const string Flags = "true or false";

    /// <summary>What <see cref="ToTime"/> accepts.</summary>
    public const string Times = "a time of day in UTC, from 00:00 to 23:59";

    /// <summary>What <see cref="ToInterval"/> accepts.</summary>
    public const string Intervals = "a number of hours, or a number with a unit such as 30m or 6h, from 1m to 24h";

    /// <summary>What <see cref="ToAge"/> accepts.</summary>
    public const string Ages = "a number with a unit: s, m, h, d, w, mo (30 days) or y (365 days), such as 30d";

    /// <summary>What <see cref="ToAddress"/> accepts.</summary>
    public const string Addresses = "an address that begins with http:// or https://";

    /// <summary>Reads true or false, and the other words for them in YAML 1.1, which the predecessor accepts.</summary>
    public static bool? ToFlag(string text) => text.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" => true,
        "FALSE" or "NO" or "OFF" => false,
        _ => null,
    };

    /// <summary>Reads a whole number.</summary>
    public static int? ToNumber(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;

    /// <summary>Reads a time of day.</summary>
    public static TimeOnly? ToTime(string text) =>
        TimeOnly.TryParseExact(text, ["H:mm", "HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    /// <summary>Writes a time of day.</summary>
    public static string Of(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    /// <summary>Reads a day of the week: its English name, or the first three letters.</summary>
    public static DayOfWeek? ToDay(string text) => Enum.GetValues<DayOfWeek>()
        .Cast<DayOfWeek?>()
        .FirstOrDefault(
            day => text.Equals(day.ToString(), StringComparison.OrdinalIgnoreCase) || text.Equals(day.ToString()![..3], StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the time between two backups; a number without a unit means hours, as in the predecessor's documents.</summary>
    public static TimeSpan? ToInterval(string text)
    {
        var interval = ToNumber(text, 1, 24) is { } hours ? TimeSpan.FromHours(hours) : ToAge(text)?.Value;
        return interval >= ShortestInterval && interval <= LongestInterval ? interval : null;
    }

    /// <summary>Writes the time between two backups.</summary>
    public static string Of(TimeSpan interval) => interval.Ticks % TimeSpan.TicksPerHour == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{interval.TotalHours}h")
        : interval.Ticks % TimeSpan.TicksPerMinute == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{interval.TotalMinutes}m")
            : string.Create(CultureInfo.InvariantCulture, $"{interval.TotalSeconds}s");

    /// <summary>Reads an age.</summary>
    public static BackupAge? ToAge(string text)
    {
        try
        {
            return BackupAge.Parse(text, CultureInfo.InvariantCulture);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads a number of bytes, with or without a unit; units are binary, as in PowerShell.</summary>
    public static long? ToBytes(string text, long least)
    {
        if (SizePattern().Match(text) is not { Success: true } match)
        {
            return null;
        }

        var factor = match.Groups["unit"].Value.ToUpperInvariant() switch
        {
            "" => 1m,
            "K" => 1L << 10,
            "M" => 1L << 20,
            "G" => 1L << 30,
            _ => 1L << 40,
        };
        var bytes = decimal.Parse(match.Groups["number"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * factor;
        return bytes >= least && bytes <= long.MaxValue ? (long)bytes : null;
    }

    /// <summary>Reads a web address.</summary>
    public static Uri? ToAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address : null;

    [GeneratedRegex(
        @"^(?<number>[0-9]{1,15}(\.[0-9]{1,6})?) ?((?<unit>[KMGT])i?)?B?$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SizePattern();
}
