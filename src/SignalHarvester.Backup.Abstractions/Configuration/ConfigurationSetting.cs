namespace SignalHarvester.Backup;

/// <summary>One setting as it is in effect, and where it comes from: what Get-SHBackupConfiguration emits.</summary>
public sealed record ConfigurationSetting
{
    /// <summary>The key's path in the file, such as <c>app.backup.schedule.daily_time</c>.</summary>
    public required string Key { get; init; }

    /// <summary>
    /// The value as it would stand in a file; paths are full ones, several values are separated by commas. Null where there
    /// is none. What comes out of a <c>${NAME}</c>, and what may hold a secret, is masked.
    /// </summary>
    public string? Value { get; init; }

    /// <summary>Where the value comes from.</summary>
    public ConfigurationSource Source { get; init; }

    /// <summary>The line in the file, from 1; null where it does not come from there.</summary>
    public int? Line { get; init; }

    /// <summary>The environment variable that overrides it; null for what none can say.</summary>
    public string? EnvironmentVariable { get; init; }

    /// <summary>The full path of the configuration file; null where there is none.</summary>
    public string? Path { get; init; }

    /// <summary>The setting on one line, as it would stand in a file of such lines.</summary>
    public override string ToString() => $"{Key}: {Value}";
}
