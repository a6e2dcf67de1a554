namespace SignalHarvester.Backup;

/// <summary>The health of something, the better first.</summary>
public enum HealthStatus : long
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Somebody should act soon.</summary>
    Warning,

    /// <summary>A disaster now would lose data, or recovery would take too long.</summary>
    Critical,
}
