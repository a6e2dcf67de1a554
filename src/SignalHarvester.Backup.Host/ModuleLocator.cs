namespace SignalHarvester.Backup.Host;

/// <summary>Finds the module that PowerShell is started with.</summary>
internal static class ModuleLocator
{
    private const string Variable = "SHBACKUP_MODULE_PATH";
    private const string ModuleName = "SignalHarvester.Backup";

    /// <summary>Gets the module's manifest, or the file or folder that the environment names; null where there is none.</summary>
    /// <param name="baseDirectory">The folder of the executable.</param>
    public static string? Find(string baseDirectory) => Named is { } named
        ? Path.Exists(named) ? named : null
        : Candidates(baseDirectory).FirstOrDefault(File.Exists);

    /// <summary>Says where it was looked for.</summary>
    public static string Missing(string baseDirectory) => Named is { } named
        ? $"The module that {Variable} names does not exist: {named}"
        : $"The {ModuleName} module was not found beside {baseDirectory} nor in an 'out' folder above it. "
            + $"Build the solution (dotnet build -c Release), or set {Variable} to the module's folder.";

    private static string? Named => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? Path.GetFullPath(named) : null;

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
