using System.Globalization;

namespace SignalHarvester.Backup.Health;

/// <summary>Writes numbers for sentences.</summary>
internal static class HealthText
{
    /// <summary>Returns a time in its two largest units.</summary>
    public static string Of(TimeSpan time) => time.TotalSeconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0.#} s")
        : ((BackupAge)time).ToString() is var text && text.IndexOf(" 0", StringComparison.Ordinal) is var nothing and > 0 ? text[..nothing]
        : ((BackupAge)time).ToString();

    /// <summary>Returns the duration of an operation, which can be shorter than a second.</summary>
    public static string Length(TimeSpan time) =>
        time.TotalSeconds is > 0 and < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms") : Of(time);

    /// <summary>Returns a number of bytes with a binary unit.</summary>
    public static string Of(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        double number = bytes;
        var unit = 0;
        for (; number >= 1023.95 && unit < units.Length - 1; unit++)
        {
            number /= 1024;
        }

        return number.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    /// <summary>Returns a number of things: "1 backup", "2 backups".</summary>
    public static string Count(int number, string one) => string.Create(CultureInfo.InvariantCulture, $"{number} {one}{(number == 1 ? string.Empty : "s")}");

    /// <summary>Returns a moment in UTC.</summary>
    public static string Of(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
