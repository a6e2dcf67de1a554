namespace SignalHarvester.Backup.Storage;

/// <summary>On the way to what is to be written lies a link that another account made, to something that is not its own.</summary>
/// <param name="link">The link's path.</param>
internal sealed class StrangeLinkException(string link)
    : IOException(
        $"'{link}' is a link that another account made to a file or folder of somebody else, so nothing is written through it. Nothing was changed. To write there anyway, give the target's own path.")
{
}
