namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes YAML files.</summary>
public sealed class ConfigurationFileCompleter : FileCompleter
{
    /// <inheritdoc/>
    protected override bool IsMeant(string path) =>
        path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);
}
