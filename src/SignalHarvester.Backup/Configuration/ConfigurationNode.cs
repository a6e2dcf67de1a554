namespace SignalHarvester.Backup.Configuration;

/// <summary>A value in a configuration file, with its place: a text, a list or a map.</summary>
/// <param name="line">The line, from 1.</param>
/// <param name="column">The column, from 1.</param>
internal sealed class ConfigurationNode(int line, int column)
{
    /// <summary>The line, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The column, from 1.</summary>
    public int Column { get; } = column;

    /// <summary>The text, where it is one. Null for a list, a map, and for nothing at all.</summary>
    public string? Text { get; init; }

    /// <summary>The items, where it is a list.</summary>
    public List<ConfigurationNode>? Items { get; init; }

    /// <summary>The entries in their order, where it is a map.</summary>
    public List<(ConfigurationNode Key, ConfigurationNode Value)>? Entries { get; init; }

    /// <summary>Whether there is nothing: the key stands alone, or with <c>null</c> or <c>~</c>.</summary>
    public bool IsNothing => Text is null && Items is null && Entries is null;

    /// <summary>What kind of value it is, for people.</summary>
    public string Kind => Entries is not null ? "a map of keys" : Items is not null ? "a list" : Text is not null ? "a text" : "nothing";
}
