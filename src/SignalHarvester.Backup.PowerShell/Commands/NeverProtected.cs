using System.Management.Automation;
using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets of protections say where they find none: silence would look as if nothing were wrong.</summary>
internal static class NeverProtected
{
    /// <summary>Writes an error for a name; a warning if all were wanted; nothing for a pattern, which may match nothing.</summary>
    /// <param name="cmdlet">The cmdlet.</param>
    /// <param name="database">The value of -Database; null for all.</param>
    /// <param name="isPattern">Whether it is a pattern.</param>
    /// <param name="directories">Where it was looked for.</param>
    public static void WriteNeverProtected(this Cmdlet cmdlet, string? database, bool isPattern, IEnumerable<BackupDirectory> directories)
    {
        var places = string.Join(", ", directories.Select(directory => $"'{directory.Path}'"));
        if (database is null)
        {
            cmdlet.WriteWarning($"No database was ever protected with the backup directory {places}. Give the directory that Start-SHBackupProtection had.");
        }
        else if (!isPattern)
        {
            cmdlet.WriteError(new BackupException(
                BackupErrorId.ProtectionNotFound, database,
                $"No database '{database}' was ever protected with the backup directory {places}. List the protections with Get-SHBackupProtection, and give the directory that Start-SHBackupProtection had with -BackupDirectory.")
                .ToRecord());
        }
    }
}
