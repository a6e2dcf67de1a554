namespace SignalHarvester.Backup;

/// <summary>How well something stands, the better first.</summary>
public enum HealthStatus
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Somebody should see to it soon.</summary>
    Warning,

    /// <summary>Data would be lost, or not be back in time, if something happened now.</summary>
    Critical,
}
