using System.Management.Automation;
using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets share that also take backup files by their path, with or without a sidecar beside them.</summary>
public abstract class StoredFileCommand : KeyedBackupCommand
{
    /// <summary>The parameter set for files.</summary>
    protected const string PathSet = "Path";

    /// <summary>
    /// A backup file. Where a sidecar lies beside it, all that is recorded there is used; without one, the file is
    /// judged by what it holds.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Alias("Path", "PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The backups that the current input names; the directory is null for a file without a sidecar.</summary>
    private protected IEnumerable<(BackupMetadata Backup, BackupDirectory? Directory)> SelectedWithFiles()
    {
        if (ParameterSetName != PathSet)
        {
            foreach (var (backup, directory) in Selected())
            {
                yield return (backup, directory);
            }

            yield break;
        }

        foreach (var path in LiteralPath)
        {
            (BackupMetadata, BackupDirectory?)? found = null;
            ForItem(() => found = LooseFile.Find(FileSystemPath(path), TimeProvider.System));
            if (found is { } item)
            {
                yield return item;
            }
        }
    }
}
