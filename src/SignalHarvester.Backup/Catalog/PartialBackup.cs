using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>A backup's file on its way: locked by this run, under a temporary name, deleted unless it is renamed.</summary>
internal sealed class PartialBackup(BackupFileName name, string finalPath, SafeFileHandle handle) : IDisposable
{
    private bool renamed;

    /// <summary>The name that the file will have.</summary>
    public BackupFileName Name { get; } = name;

    /// <summary>The path that the file will have.</summary>
    public string FinalPath { get; } = finalPath;

    /// <summary>The open file, for writing and for reading back what was written.</summary>
    public SafeFileHandle Handle { get; } = handle;

    /// <summary>Gives the file its final name, durably.</summary>
    public void Rename()
    {
        DurableFile.Rename(FinalPath + BackupFileName.PartialSuffix, FinalPath);
        renamed = true;

        // Before the sidecar is there, so that whoever sees it can open the file.
        Handle.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!renamed)
        {
            File.Delete(FinalPath + BackupFileName.PartialSuffix);
        }

        Handle.Dispose();
    }
}
