using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>A backup's file on its way: locked by this run, under a temporary name, deleted unless it is renamed or kept.</summary>
/// <param name="directory">The backup directory.</param>
/// <param name="name">The name that the file will have, as far as is known yet.</param>
/// <param name="temporaryPath">The path that it has until then.</param>
/// <param name="handle">The open file.</param>
internal sealed class PartialBackup(string directory, BackupFileName name, string temporaryPath, SafeFileHandle handle) : IDisposable
{
    private bool renamed;

    /// <summary>The name that the file will have: what it holds may turn out other than was meant.</summary>
    public BackupFileName Name { get; set; } = name;

    /// <summary>The path that the file will have.</summary>
    public string FinalPath => Path.Combine(directory, Name.Text);

    /// <summary>Whether the file stays under its temporary name if it is not renamed, for another run to go on with.</summary>
    public bool IsKept { get; init; }

    /// <summary>The open file, for writing and for reading back what was written.</summary>
    public SafeFileHandle Handle { get; } = handle;

    /// <summary>Gives the file its final name, durably.</summary>
    public void Rename()
    {
        DurableFile.Rename(temporaryPath, FinalPath);
        renamed = true;

        // Before the sidecar is there, so that whoever sees it can open the file.
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
