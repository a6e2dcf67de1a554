using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>Something wrong in a configuration: what Test-SHBackupConfiguration emits.</summary>
public sealed record ConfigurationProblem
{
    /// <summary>Whether the configuration can be used all the same.</summary>
    public ConfigurationSeverity Severity { get; init; } = ConfigurationSeverity.Error;

    /// <summary>The full path of the file, or the name of the environment variable, that it is in.</summary>
    public required string Path { get; init; }

    /// <summary>The line in the file, from 1; null where it is in no line of it.</summary>
    public int? Line { get; init; }

    /// <summary>The column in the line, from 1; null where there is no line.</summary>
    public int? Column { get; init; }

    /// <summary>The key's path in the file, such as <c>app.backup.compression</c>; null where it concerns no key.</summary>
    public string? Key { get; init; }

    /// <summary>What was found, as it stands there: never what came out of a <c>${NAME}</c>, and never a secret. Null where nothing was.</summary>
    public string? Found { get; init; }

    /// <summary>What is allowed there, for people.</summary>
    public string? Allowed { get; init; }

    /// <summary>What is wrong, and what to do.</summary>
    public required string Message { get; init; }

    /// <summary>The problem on one line, as compilers say it: place, key, what is wrong.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Path}{(Line is null ? string.Empty : $":{Line}:{Column}")}: {(Key is null ? string.Empty : Key + ": ")}{Message}");
}
