using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Draws backups as trees of their links.</summary>
internal static class BackupTree
{
    private const string ViewName = "SignalHarvester.Backup.BackupMetadata#Tree";

    /// <summary>Returns the backups in the order of the drawing, each with its line in a property Tree, which the view shows.</summary>
    /// <param name="backups">The backups, newest first. One without its parent among them is a root.</param>
    public static IEnumerable<PSObject> Draw(IReadOnlyList<BackupMetadata> backups)
    {
        var ids = backups.Select(backup => backup.Id).ToHashSet(StringComparer.Ordinal);
        var children = backups.Reverse().Where(backup => backup.ParentId is not null).ToLookup(backup => backup.ParentId!, StringComparer.Ordinal);
        var drawn = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<(BackupMetadata Backup, string Lead, string Indent)>();

        // A circle of links has no root; its members follow at the end, so that nothing is left out.
        foreach (var root in backups.Where(backup => backup.ParentId is null || !ids.Contains(backup.ParentId)).Concat(backups))
        {
            open.Push((root, string.Empty, string.Empty));
            while (open.TryPop(out var item))
            {
                if (!drawn.Add(item.Backup.Id))
                {
                    continue;
                }

                yield return Line(item.Backup, item.Lead);
                var below = children[item.Backup.Id].ToList();
                if (below.Count == 1 && item.Lead.Length > 0)
                {
                    // A chain goes straight down: each line builds on the one above it.
                    open.Push((below[0], item.Indent, item.Indent));
                    continue;
                }

                for (var i = below.Count - 1; i >= 0; i--)
                {
                    var isLast = i == below.Count - 1;
                    open.Push((below[i], item.Indent + (isLast ? "└─ " : "├─ "), item.Indent + (isLast ? "   " : "│  ")));
                }
            }
        }
    }

    private static PSObject Line(BackupMetadata backup, string lead)
    {
        var line = new PSObject(backup);
        line.Properties.Add(new PSNoteProperty("Tree", lead + backup.Id));
        line.TypeNames.Insert(0, ViewName);
        return line;
    }
}
