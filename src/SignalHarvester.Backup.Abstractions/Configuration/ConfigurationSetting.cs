namespace SignalHarvester.Backup;

/// <summary>One effective setting and its source, as Get-SHBackupConfiguration emits it.</summary>
public sealed record ConfigurationSetting
{
    /// <summary>The key's path in the file, such as <c>app.backup.schedule.daily_time</c>.</summary>
    public required string Key { get; init; }

    /// <summary>
    /// The value in the form of a file; paths are full ones, several values are separated by commas. Null if there
    /// is none. The value of a <c>${NAME}</c>, and any value that may be secret, is masked.
    /// </summary>
    public string? Value { get; init; }

    /// <summary>The source of the value.</summary>
    public ConfigurationSource Source { get; init; }

    /// <summary>The line in the file, from 1; null if it does not come from there.</summary>
    public int? Line { get; init; }

    /// <summary>The environment variable that overrides it; null if there is none.</summary>
    public string? EnvironmentVariable { get; init; }

    /// <summary>The full path of the configuration file; null if there is none.</summary>
    public string? Path { get; init; }

    /// <summary>The setting on one line.</summary>
    public override string ToString() => $"{Key}: {Value}";
}
