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

    /// <summary>Whether anything was given, on the command line or through the pipeline.</summary>
    private protected bool HasInput { get; set; }

    /// <summary>
    /// Warns where a pipeline gave nothing: whoever restores or verifies "the newest verified backup" must not take silence
    /// for success where there is none.
    /// </summary>
    private protected void TellNoInput(string consequence)
    {
        if (MyInvocation.ExpectingInput && !HasInput)
        {
            WriteWarning($"No backup came through the pipeline, so {consequence}. See what there is with Get-SHBackup, without filters.");
        }
    }

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
