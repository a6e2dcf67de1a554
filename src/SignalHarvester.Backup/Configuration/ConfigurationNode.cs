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

    /// <summary>The text, if it is one. Null for a list, a map or nothing.</summary>
    public string? Text { get; init; }

    /// <summary>The items, if it is a list.</summary>
    public List<ConfigurationNode>? Items { get; init; }

    /// <summary>The entries in their order, if it is a map.</summary>
    public List<(ConfigurationNode Key, ConfigurationNode Value)>? Entries { get; init; }

    /// <summary>Whether there is no value: the key is alone, or has <c>null</c> or <c>~</c>.</summary>
    public bool IsNothing => Text is null && Items is null && Entries is null;

    /// <summary>The kind of value, in words.</summary>
    public string Kind => Entries is not null ? "a map of keys" : Items is not null ? "a list" : Text is not null ? "a text" : "nothing";
}
