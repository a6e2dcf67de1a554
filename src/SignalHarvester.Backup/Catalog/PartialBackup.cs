using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>A backup's unfinished file: locked by this run, under a temporary name, and deleted unless it is renamed or kept.</summary>
/// <param name="directory">The backup directory.</param>
/// <param name="name">The file's final name, as far as it is known yet.</param>
/// <param name="temporaryPath">Its path until then.</param>
/// <param name="handle">The open file.</param>
internal sealed class PartialBackup(string directory, BackupFileName name, string temporaryPath, SafeFileHandle handle) : IDisposable
{
    private bool renamed;

    /// <summary>The file's final name. It can change, because the content may become another than planned.</summary>
    public BackupFileName Name { get; set; } = name;

    /// <summary>The file's final path.</summary>
    public string FinalPath => Path.Combine(directory, Name.Text);

    /// <summary>Whether the file keeps its temporary name if it is not renamed, so that another run can continue it.</summary>
    public bool IsKept { get; init; }

    /// <summary>The open file, for writing and for reading back.</summary>
    public SafeFileHandle Handle { get; } = handle;

    /// <summary>Gives the file its final name, durably.</summary>
    public void Rename()
    {
        DurableFile.Rename(temporaryPath, FinalPath);
        renamed = true;

        // Released before the sidecar exists, so that whoever sees the sidecar can open the file.
        RegularFile.Release(Handle);
    }

    /// <summary>Deletes the file, kept or not.</summary>
    public void Delete() => DurableFile.Discard(temporaryPath);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!renamed && !IsKept)
        {
            DurableFile.Discard(temporaryPath);
        }

        RegularFile.Release(Handle);
    }
}
