namespace SignalHarvester.Backup.Storage;

/// <summary>The path to a file to be written leads through a link that another account made, to something that this account does not own.</summary>
/// <param name="link">The link's path.</param>
internal sealed class StrangeLinkException(string link)
    : IOException(
        $"'{link}' is a link that another account made to a file or folder of somebody else, so nothing is written through it. Nothing was changed. To write there anyway, give the target's own path.")
{
}
