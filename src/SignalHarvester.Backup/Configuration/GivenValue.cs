namespace SignalHarvester.Backup.Configuration;

/// <summary>A single configured value and its place.</summary>
/// <param name="Key">The key's path.</param>
/// <param name="Text">The value, with variables inserted for <c>${NAME}</c>. It may be a secret, so it goes only into the settings.</param>
/// <param name="Shown">The form of the value that may be shown.</param>
/// <param name="Source">The file or the environment.</param>
/// <param name="Place">The file's path, or the variable's name.</param>
/// <param name="Line">The line in the file, from 1.</param>
/// <param name="Column">The column in the line, from 1.</param>
internal sealed record GivenValue(string Key, string Text, string Shown, ConfigurationSource Source, string Place, int? Line, int? Column)
{
    /// <summary>Whether the shown form is not the value itself.</summary>
    public bool IsMasked => Text != Shown;
}
