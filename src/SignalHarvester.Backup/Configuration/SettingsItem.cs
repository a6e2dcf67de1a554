namespace SignalHarvester.Backup.Configuration;

/// <summary>An item of a list: a text, or a map of keys.</summary>
/// <param name="Value">The text; null for a map.</param>
/// <param name="Map">The map; null for a text.</param>
internal sealed record SettingsItem(GivenValue? Value, SettingsSection? Map);
