namespace SignalHarvester.Backup;

/// <summary>Where the value of a setting comes from.</summary>
public enum ConfigurationSource
{
    /// <summary>It was not set.</summary>
    Default,

    /// <summary>The configuration file.</summary>
    File,

    /// <summary>An environment variable, which stands above the file.</summary>
    Environment,
}
