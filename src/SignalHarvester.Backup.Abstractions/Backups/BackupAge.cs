using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>
/// The age of a backup, safe to compare in PowerShell: <c>Where Age -gt 30d</c>.
/// </summary>
/// <remarks>
/// PowerShell reads <c>30d</c> as the decimal 30, <c>12h</c> as the string "12h", <c>30</c> as an int and
/// <c>30s</c> as an Int16. A TimeSpan would turn the int 30 into 30 ticks, and every backup would be older than
/// that. So this type takes a decimal (days), a TimeSpan, or a string with a unit, and nothing else: there is
/// deliberately no constructor from int, long or double, through which PowerShell would convert.
/// Units: <c>s m h d w mo y</c> (a month counts 30 days, a year 365), also as <c>sec</c>, <c>min</c> and whole words.
/// </remarks>
[SuppressMessage(
    "Design", "CA1036:Override methods on comparable types",
    Justification = "PowerShell compares through IComparable; operators would invite its numeric conversions.")]
public sealed class BackupAge : IComparable, IComparable<BackupAge>, IEquatable<BackupAge>
{
    private BackupAge(TimeSpan value) => Value = value;

    /// <summary>The age as a TimeSpan. Negative if the backup's timestamp is in the future.</summary>
    public TimeSpan Value { get; }

    /// <summary>The age in days, fraction included.</summary>
    public double TotalDays => Value.TotalDays;

    /// <summary>The age in hours, fraction included.</summary>
    public double TotalHours => Value.TotalHours;

    /// <summary>The age in seconds, fraction included.</summary>
    public double TotalSeconds => Value.TotalSeconds;

    /// <summary>The age of an event at <paramref name="moment"/>.</summary>
    /// <param name="moment">When it happened.</param>
    /// <param name="now">The time to measure from.</param>
    public static BackupAge Between(DateTimeOffset moment, DateTimeOffset now) => new(now - moment);

    /// <summary>Reads an age such as <c>30d</c>, <c>12h</c>, <c>1.5w</c> or <c>6mo</c>.</summary>
    /// <param name="text">A number that is not negative and a unit: s, m, h, d, w, mo, y, min, sec, or the whole word.</param>
    /// <param name="provider">Not used: ages are read culture-invariantly.</param>
    /// <exception cref="FormatException">The text has no unit, an unknown unit, or no number.</exception>
    public static BackupAge Parse(string text, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.AsSpan().Trim();
        var unitStart = trimmed.Length;
        while (unitStart > 0 && char.IsAsciiLetter(trimmed[unitStart - 1]))
        {
            unitStart--;
        }

        var secondsPerUnit = trimmed[unitStart..] switch
        {
            "s" or "sec" or "second" or "seconds" => 1m,
            "m" or "min" or "minute" or "minutes" => 60m,
            "h" or "hour" or "hours" => 3600m,
            "d" or "day" or "days" => 86400m,
            "w" or "week" or "weeks" => 7 * 86400m,
            "mo" or "month" or "months" => 30 * 86400m,
            "y" or "year" or "years" => 365 * 86400m,
            _ => throw NotAnAge(text),
        };
        if (!decimal.TryParse(trimmed[..unitStart], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            throw NotAnAge(text);
        }

        try
        {
            return new BackupAge(TimeSpan.FromTicks((long)(number * secondsPerUnit * TimeSpan.TicksPerSecond)));
        }
        catch (OverflowException)
        {
            throw NotAnAge(text);
        }
    }

    /// <summary>Reads an age such as <c>30d</c>; see <see cref="Parse(string, IFormatProvider?)"/>.</summary>
    /// <param name="text">A number and a unit.</param>
    /// <exception cref="FormatException">The text is not an age.</exception>
    public static BackupAge Parse(string text) => Parse(text, CultureInfo.InvariantCulture);

    /// <summary>An age in days: PowerShell reads <c>30d</c> as a decimal.</summary>
    /// <param name="days">Days, zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or too large.</exception>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Parse is the named way; the operator exists for PowerShell.")]
    public static implicit operator BackupAge(decimal days)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(days);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(days, (decimal)TimeSpan.MaxValue.TotalDays - 1);
        return new BackupAge(TimeSpan.FromTicks((long)(days * TimeSpan.TicksPerDay)));
    }

    /// <summary>A TimeSpan as an age.</summary>
    /// <param name="value">The time span.</param>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Value is the way back; the operator exists for PowerShell.")]
    public static implicit operator BackupAge(TimeSpan value) => new(value);

    /// <inheritdoc/>
    public int CompareTo(BackupAge? other) => other is null ? 1 : Value.CompareTo(other.Value);

    /// <summary>Compares with another age.</summary>
    /// <param name="obj">A <see cref="BackupAge"/>; PowerShell converts to one first, or fails.</param>
    /// <exception cref="ArgumentException">It is not an age.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        BackupAge other => CompareTo(other),
        _ => throw new ArgumentException(
            $"An age cannot be compared with {obj} ({obj.GetType().Name}). Give a number with a unit, such as 30d, '12h' or '6mo'.",
            nameof(obj)),
    };

    /// <inheritdoc/>
    public bool Equals(BackupAge? other) => other is not null && Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BackupAge);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode();

    /// <summary>The age in its two largest units, such as <c>3d 4h</c>; from 100 days on in days.</summary>
    public override string ToString()
    {
        var sign = Value < TimeSpan.Zero ? "-" : string.Empty;
        var age = Value.Duration();
        return sign + age switch
        {
            { Days: >= 100 } => string.Create(CultureInfo.InvariantCulture, $"{age.Days}d"),
            { Days: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{age.Days}d {age.Hours}h"),
            { Hours: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{age.Hours}h {age.Minutes}m"),
            { Minutes: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{age.Minutes}m {age.Seconds}s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{age.Seconds}s"),
        };
    }

    private static FormatException NotAnAge(string text) => new(
        $"'{text}' is not an age. Give a number with a unit, s, m, h, d, w, mo (30 days) or y (365 days), in quotes unless the unit is d, such as 30d, '12h' or '6mo'.");
}
