using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>A problem in a configuration, as Test-SHBackupConfiguration emits it.</summary>
public sealed record ConfigurationProblem
{
    /// <summary>Whether the configuration can still be used.</summary>
    public ConfigurationSeverity Severity { get; init; } = ConfigurationSeverity.Error;

    /// <summary>The full path of the file, or the name of the environment variable, with the problem.</summary>
    public required string Path { get; init; }

    /// <summary>The line in the file, from 1; null if it is in no line.</summary>
    public int? Line { get; init; }

    /// <summary>The column in the line, from 1; null if there is no line.</summary>
    public int? Column { get; init; }

    /// <summary>The key's path in the file, such as <c>app.backup.compression</c>; null if it concerns no key.</summary>
    public string? Key { get; init; }

    /// <summary>The value found, as written: never the value of a <c>${NAME}</c>, and never a secret. Null if there was none.</summary>
    public string? Found { get; init; }

    /// <summary>The allowed values, for people.</summary>
    public string? Allowed { get; init; }

    /// <summary>The problem, and what to do.</summary>
    public required string Message { get; init; }

    /// <summary>The problem on one line, in the form of compilers: place, key, problem.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Path}{(Line is null ? string.Empty : $":{Line}:{Column}")}: {(Key is null ? string.Empty : Key + ": ")}{Message}");
}
