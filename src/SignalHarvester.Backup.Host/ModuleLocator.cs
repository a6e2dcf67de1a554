namespace SignalHarvester.Backup.Host;

/// <summary>Finds the module with which PowerShell starts.</summary>
internal static class ModuleLocator
{
    /// <summary>The variable with a module file or folder that replaces the shipped one.</summary>
    public const string Variable = "SHBACKUP_MODULE_PATH";
    private const string ModuleName = "SignalHarvester.Backup";

    /// <summary>Returns the module's path: the file or folder in the environment, else the manifest; if that is missing, its proper place.</summary>
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
