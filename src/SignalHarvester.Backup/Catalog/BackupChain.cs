using System.Globalization;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Catalog;

/// <summary>The links of a chain: a backup, its parent, and so on to the full backup. The links give the order, never the clock.</summary>
internal static class BackupChain
{
    private const string NextStep =
        "Restore another backup (Get-SHBackup -Verified), or fetch the missing file and its sidecar from a copy; then make a full backup with New-SHBackup -Type Full.";

    private const int NoDepth = int.MinValue;

    /// <summary>Whether a backup holds changes only, and needs its parent to be restored.</summary>
    public static bool IsIncrement(BackupMetadata backup) =>
        !backup.IsPredecessor && BackupFileName.IsWalName(Path.GetFileName(backup.BackupPath.AsSpan()));

    /// <summary>Follows the links.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="find">Finds a backup by its id; null if there is none.</param>
    /// <returns>The full backup first, the given one last, with their depths.</returns>
    /// <exception cref="BackupException">ChainBroken.</exception>
    public static IReadOnlyList<BackupMetadata> Resolve(BackupMetadata backup, Func<string, BackupMetadata?> find)
    {
        var links = new List<BackupMetadata> { backup };
        var seen = new HashSet<string>(StringComparer.Ordinal) { backup.Id };
        while (links[^1] is var child && IsIncrement(child))
        {
            if (child.ParentId is not { } parentId)
            {
                throw Broken(backup, $"'{child.Id}' contains only changes, and its sidecar does not name its parent");
            }

            if (child.PageSize is null || child.PageCount is null)
            {
                throw Broken(backup, $"'{child.Id}' contains only changes, and its sidecar does not record the pages of its image");
            }

            if (!seen.Add(parentId))
            {
                throw Broken(backup, $"'{child.Id}' builds on '{parentId}', which builds on it");
            }

            var parent = find(parentId) ?? throw Broken(backup, $"'{child.Id}' builds on '{parentId}', which is missing");
            if (WhyNoParent(parent, child.DatabasePath, child.PageSize) is { } reason)
            {
                throw Broken(backup, $"'{child.Id}' builds on '{parentId}', which {reason}");
            }

            links.Add(parent);
        }

        links.Reverse();
        return [.. links.Select((link, depth) => link with { Depth = depth })];
    }

    /// <summary>Returns the backups with their depths; null for a broken chain.</summary>
    public static IReadOnlyList<BackupMetadata> WithDepths(IReadOnlyCollection<BackupMetadata> backups)
    {
        var byId = backups.ToDictionary(backup => backup.Id, StringComparer.Ordinal);
        var depths = new Dictionary<string, int>(StringComparer.Ordinal);
        var path = new Stack<BackupMetadata>();
        return [.. backups.Select(backup => WithDepth(backup, Depth(backup) is var depth and not NoDepth ? depth : null))];

        static BackupMetadata WithDepth(BackupMetadata backup, int? depth) => backup.Depth == depth ? backup : backup with { Depth = depth };

        int Depth(BackupMetadata backup)
        {
            var depth = NoDepth;
            for (var current = backup; ; current = byId[current.ParentId!])
            {
                if (depths.TryGetValue(current.Id, out depth))
                {
                    break;
                }

                path.Push(current);
                depth = depths[current.Id] = NoDepth; // A cycle comes back to here, and finds no depth.
                if (!IsIncrement(current))
                {
                    depth = -1;
                    break;
                }

                if (current.ParentId is null || !byId.TryGetValue(current.ParentId, out var parent)
                    || WhyNoParent(parent, current.DatabasePath, current.PageSize) is not null)
                {
                    break;
                }
            }

            while (path.TryPop(out var current))
            {
                depth = depth == NoDepth ? NoDepth : depth + 1;
                depths[current.Id] = depth;
            }

            return depth;
        }
    }

    /// <summary>Returns why a backup cannot be the parent of changes to a database; null if it can.</summary>
    public static string? WhyNoParent(BackupMetadata parent, string? databasePath, int? pageSize) => parent switch
    {
        { IsPredecessor: true } => "was made by the Python tool, and records too little to build on",
        { PageSize: null } or { PageCount: null } or { PagesChecksum: null } => "does not record its pages",
        _ when parent.DatabasePath != databasePath => $"is a backup of '{parent.DatabasePath}'",
        _ when parent.PageSize != pageSize => string.Create(CultureInfo.InvariantCulture, $"has pages of {parent.PageSize} bytes instead of {pageSize}"),
        _ => null,
    };

    /// <summary>Returns what an error says is wrong, without its advice, for a sentence that gives its own.</summary>
    public static string Reason(BackupException broken) => broken.Message.Replace(NextStep, string.Empty, StringComparison.Ordinal).TrimEnd(' ', '.');

    private static BackupException Broken(BackupMetadata backup, string reason) => new(
        BackupErrorId.ChainBroken, backup.Id, $"The chain of '{backup.Id}' is broken: {reason}. {NextStep}");

    /// <summary>Returns the backups that build on others, directly or through further ones.</summary>
    public static IReadOnlyList<BackupMetadata> Dependants(IReadOnlyCollection<BackupMetadata> backups, IEnumerable<string> ids)
    {
        var children = backups.Where(IsIncrement).Where(backup => backup.ParentId is not null).ToLookup(backup => backup.ParentId!, StringComparer.Ordinal);
        var found = new Dictionary<string, BackupMetadata>(StringComparer.Ordinal);
        var roots = ids.ToHashSet(StringComparer.Ordinal);
        var open = new Queue<string>(roots);
        while (open.TryDequeue(out var id))
        {
            foreach (var child in children[id].Where(child => !roots.Contains(child.Id) && found.TryAdd(child.Id, child)))
            {
                open.Enqueue(child.Id);
            }
        }

        return [.. found.Values];
    }
}
