namespace SignalHarvester.Backup;

/// <summary>The source of a setting's value.</summary>
public enum ConfigurationSource : long
{
    /// <summary>It was not set.</summary>
    Default,

    /// <summary>The configuration file.</summary>
    File,

    /// <summary>An environment variable, which overrides the file.</summary>
    Environment,
}
