using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Links that other accounts made. Root, or anybody else, who writes where such a link leads would write what its maker may
/// not: so it counts only where it leads to something of its maker's own. The kernel has the same rule for links in /tmp
/// (https://docs.kernel.org/admin-guide/sysctl/fs.html, protected_symlinks).
/// </summary>
internal static class LinkTrust
{
    private const int MostLinks = 40;

    /// <summary>The first link on the way to a path that is not to be followed; null where there is none, and on Windows.</summary>
    /// <param name="path">A full path; what it names need not be there.</param>
    public static string? FirstStrange(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        var pending = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var walked = "/";
        for (var links = 0; pending.TryPop(out var part) && links < MostLinks;)
        {
            var here = Path.GetFullPath(Path.Combine(walked, part));
            if (new FileInfo(here).LinkTarget is not { } target)
            {
                walked = here;
                continue;
            }

            if (FileKind.OwnerOfItself(here) is var (maker, _) && maker != 0 && maker != UnixAccounts.CurrentUser
                && FileKind.OwnerOf(here) is var (owner, _) && owner != maker)
            {
                return here;
            }

            links++;
            walked = target.StartsWith('/') ? "/" : walked;
            foreach (var inside in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                pending.Push(inside);
            }
        }

        return null;
    }
}
