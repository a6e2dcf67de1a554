namespace SignalHarvester.Backup;

/// <summary>How bad a problem of a configuration is.</summary>
public enum ConfigurationSeverity
{
    /// <summary>The configuration can be used, and may not do what was meant.</summary>
    Warning,

    /// <summary>The configuration cannot be used.</summary>
    Error,
}
