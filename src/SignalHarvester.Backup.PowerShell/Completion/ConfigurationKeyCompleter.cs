using System.Collections;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes keys of the configuration, and shows their effective values.</summary>
public sealed class ConfigurationKeyCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) =>
        CompletedDirectory.Settings(given).Select(setting => (setting.Key, setting.Value is { Length: > 0 } value ? value : setting.Key));
}
