namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>Finds the time zone of the machine. This process may have another one: TZ belongs to the session, and no scheduler knows it.</summary>
internal static class SystemZone
{
    private const string Link = "/etc/localtime";
    private const string Database = "/zoneinfo/";

    /// <summary>Returns the zone of the scheduler's clock.</summary>
    public static TimeZoneInfo Find()
    {
        if (!OperatingSystem.IsWindows()
            && new FileInfo(Link).LinkTarget is { } target
            && target.LastIndexOf(Database, StringComparison.Ordinal) is >= 0 and var found
            && TimeZoneInfo.TryFindSystemTimeZoneById(target[(found + Database.Length)..], out var zone))
        {
            return zone;
        }

        return TimeZoneInfo.Local;
    }
}
