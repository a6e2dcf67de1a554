namespace SignalHarvester.Backup;

/// <summary>The severity of a configuration problem.</summary>
public enum ConfigurationSeverity : long
{
    /// <summary>The configuration can be used, but may not do what you intended.</summary>
    Warning,

    /// <summary>The configuration cannot be used.</summary>
    Error,
}
