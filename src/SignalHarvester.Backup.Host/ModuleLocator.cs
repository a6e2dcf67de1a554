namespace SignalHarvester.Backup.Host;

/// <summary>Finds the module that PowerShell is started with.</summary>
internal static class ModuleLocator
{
    /// <summary>Names a module file or folder that is used instead of the shipped one.</summary>
    public const string Variable = "SHBACKUP_MODULE_PATH";
    private const string ModuleName = "SignalHarvester.Backup";

    /// <summary>Gets where the module is: the file or folder that the environment names, or the manifest; where there is none, its proper place.</summary>
    /// <param name="baseDirectory">The folder of the executable.</param>
    public static string Find(string baseDirectory) =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? Path.GetFullPath(named)
        : Candidates(baseDirectory).FirstOrDefault(File.Exists) ?? Candidates(baseDirectory).First();

    private static IEnumerable<string> Candidates(string baseDirectory)
    {
        yield return Manifest(Path.Combine(baseDirectory, "Modules"));
        for (DirectoryInfo? folder = new(baseDirectory); folder is not null; folder = folder.Parent)
        {
            yield return Manifest(Path.Combine(folder.FullName, "out"));
        }
    }

    private static string Manifest(string modules) => Path.Combine(modules, ModuleName, ModuleName + ".psd1");
}
