namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>A copy of the built module in a folder of its own.</summary>
internal sealed class ModuleCopy : IDisposable
{
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory("shbackup-module-");

    /// <summary>Copies the module.</summary>
    public ModuleCopy()
    {
        foreach (var file in Directory.EnumerateFiles(BuiltModule.Base, "*", SearchOption.AllDirectories))
        {
            var target = Path.Join(parent.FullName, "SignalHarvester.Backup", Path.GetRelativePath(BuiltModule.Base, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>The copy's manifest.</summary>
    public string Manifest => Path.Join(parent.FullName, "SignalHarvester.Backup", "SignalHarvester.Backup.psd1");

    /// <summary>Removes the copy. Windows keeps what is loaded; then the folder for temporary files keeps the copy.</summary>
    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
        {
            parent.Delete(recursive: true);
        }
    }
}
