using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// A place outside a backup directory that something is written to: its folder, held open, and its name there. The path is
/// walked once, from open folder to open folder, and never resolved again. So nobody who may write on the way can lead us
/// elsewhere between a check and an action.
/// </summary>
/// <remarks>
/// A link that another account made counts only if it leads to something that its maker owns. Otherwise root, or anybody
/// else, would write through it what the maker may not write. The kernel has the same rule for links in /tmp
/// (https://docs.kernel.org/admin-guide/sysctl/fs.html, protected_symlinks).
/// </remarks>
internal sealed class NamedPlace : IDisposable
{
    private const int MostLinks = 40;

    private NamedPlace(HeldFolder folder, string name, bool isLink)
    {
        Folder = folder;
        Name = name;
        IsLink = isLink;
    }

    /// <summary>The folder.</summary>
    public HeldFolder Folder { get; }

    /// <summary>The name in it.</summary>
    public string Name { get; }

    /// <summary>Whether the path itself was a link, which was followed to this place.</summary>
    public bool IsLink { get; }

    /// <summary>The full path, links followed.</summary>
    public string Path => System.IO.Path.Combine(Folder.Path, Name);

    /// <summary>Finds the place of a file that may not exist yet.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="followLast">Whether a link in the place of the file is followed too; otherwise the link itself is the place.</param>
    /// <param name="missing">What happens to missing folders.</param>
    /// <exception cref="StrangeLinkException">A link on the way is not to be followed.</exception>
    /// <exception cref="IOException">A folder is not there, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static NamedPlace Find(string path, bool followLast = false, MissingFolders missing = MissingFolders.Refuse)
    {
        if (!OperatingSystem.IsWindows())
        {
            using var walk = new Walk(path, missing);
            var name = walk.ToFile(followLast);
            return new NamedPlace(HeldFolder.Reopen(walk.Here, walk.Path), name, walk.LastWasLink);
        }

        var target = followLast ? LinkTarget.Of(path) : null;
        var place = target ?? path;
        return new NamedPlace(OpenFolder(System.IO.Path.GetDirectoryName(place)!, missing), System.IO.Path.GetFileName(place), target is not null);
    }

    /// <summary>Opens a folder.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="missing">What happens to missing folders.</param>
    /// <exception cref="StrangeLinkException">A link on the way is not to be followed.</exception>
    /// <exception cref="IOException">A folder is not there, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static HeldFolder OpenFolder(string path, MissingFolders missing = MissingFolders.Refuse)
    {
        if (!OperatingSystem.IsWindows())
        {
            using var walk = new Walk(path, missing);
            walk.ToFolder();
            return HeldFolder.Reopen(walk.Here, walk.Path);
        }

        if (missing != MissingFolders.Refuse)
        {
            DurableFile.CreateDirectory(path, isPrivate: missing == MissingFolders.MakePrivate);
        }

        return HeldFolder.Open(path);
    }

    /// <inheritdoc/>
    public void Dispose() => Folder.Dispose();

    /// <summary>One walk through the folders of Unix.</summary>
    private sealed class Walk : IDisposable
    {
        private readonly Stack<Step> steps = new();
        private readonly MissingFolders missing;
        private int links;

        public Walk(string path, MissingFolders missing)
        {
            this.missing = missing;
            Here = UnixCalls.OpenItself(UnixCalls.NoFolder, Path, Path);
            Add(path);
        }

        /// <summary>The folder that the walk has reached.</summary>
        public SafeFileHandle Here { get; private set; }

        /// <summary>The path of that folder.</summary>
        public string Path { get; private set; } = "/";

        /// <summary>Whether the last name of the path was a link that was followed.</summary>
        public bool LastWasLink { get; private set; }

        /// <summary>Goes to the folder of a file.</summary>
        /// <returns>The file's name there.</returns>
        public string ToFile(bool followLast)
        {
            while (steps.TryPop(out var step))
            {
                if (step.Maker is not null)
                {
                    Judge(step, Here);
                }
                else if (step.Name is "." or ".." || steps.Any(later => later.Maker is null))
                {
                    Enter(step.Name);
                }
                else
                {
                    using var file = Find(step.Name);
                    if (!followLast || file is null || !FileStatus.Of(file).IsLink)
                    {
                        // If a link leads to no file, the folder in which that file would be made must belong to the link's maker.
                        JudgeAll(file ?? Here);
                        return step.Name;
                    }

                    LastWasLink = true;
                    Follow(file, step.Name);
                }
            }

            throw new UnauthorizedAccessException($"'{Path}' is a folder.");
        }

        /// <summary>Goes to the end.</summary>
        public void ToFolder()
        {
            while (steps.TryPop(out var step))
            {
                if (step.Maker is not null)
                {
                    Judge(step, Here);
                }
                else
                {
                    Enter(step.Name);
                }
            }
        }

        public void Dispose() => Here.Dispose();

        private void Enter(string name)
        {
            if (Find(name) is not { } next)
            {
                Make(name);
                next = Find(name) ?? throw NotThere(name);
            }

            if (FileStatus.Of(next).IsFolder)
            {
                Here.Dispose();
                Here = next;
                Path = System.IO.Path.GetFullPath(name, Path);
                return;
            }

            using (next)
            {
                if (!FileStatus.Of(next).IsLink)
                {
                    throw NotThere(name);
                }

                Follow(next, name);
            }
        }

        /// <summary>Opens whatever has a name here, even a link; null if there is no such name.</summary>
        private SafeFileHandle? Find(string name)
        {
            try
            {
                return UnixCalls.OpenItself(Here, name, System.IO.Path.Combine(Path, name));
            }
            catch (IOException exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }

        private void Make(string name)
        {
            if (missing == MissingFolders.Refuse)
            {
                throw NotThere(name);
            }

            using var folder = HeldFolder.Reopen(Here, Path);
            folder.EnsureFolder(name, isPrivate: missing == MissingFolders.MakePrivate);
            folder.Flush();
        }

        private void Follow(SafeFileHandle link, string name)
        {
            var path = System.IO.Path.Combine(Path, name);
            if (++links > MostLinks)
            {
                throw new IOException($"'{path}' is part of a circle of links, or of too long a chain of links.");
            }

            var maker = FileStatus.Of(link).User;
            var target = UnixCalls.ReadLink(link, path);
            if (maker != 0 && maker != UnixAccounts.CurrentUser)
            {
                steps.Push(new Step(path, maker));
            }

            if (target.StartsWith('/'))
            {
                Here.Dispose();
                Here = UnixCalls.OpenItself(UnixCalls.NoFolder, "/", "/");
                Path = "/";
            }

            Add(target);
        }

        private void Add(string path)
        {
            foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                steps.Push(new Step(name, null));
            }
        }

        private void JudgeAll(SafeFileHandle reached)
        {
            while (steps.TryPop(out var link))
            {
                Judge(link, reached);
            }
        }

        private static void Judge(Step link, SafeFileHandle reached)
        {
            if (FileStatus.Of(reached).User != link.Maker)
            {
                throw new StrangeLinkException(link.Name);
            }
        }

        private DirectoryNotFoundException NotThere(string name) => new($"There is no folder '{System.IO.Path.Combine(Path, name)}'.");
    }

    /// <summary>
    /// A name to go to. Or, with its maker, the path of a link that has been followed completely: then the maker is compared with
    /// the owner of what the link led to.
    /// </summary>
    private readonly record struct Step(string Name, uint? Maker);
}
