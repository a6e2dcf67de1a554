namespace SignalHarvester.Backup.Storage;

/// <summary>On the way to what is to be written lies a link that another account made, to something that is not its own.</summary>
/// <param name="link">The link's path.</param>
internal sealed class StrangeLinkException(string link)
    : IOException($"'{link}' is a link that another account made, to something that is not its own, and is not followed for writing. Nothing was changed. To write there all the same, give the path that it leads to.")
{
}
