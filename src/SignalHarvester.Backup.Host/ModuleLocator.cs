namespace SignalHarvester.Backup.Host;

/// <summary>Finds the module that the engine is started with.</summary>
internal static class ModuleLocator
{
    /// <summary>Names a module file or folder that is used instead of the shipped one.</summary>
    public const string Variable = "SHBACKUP_MODULE_PATH";

    private const string ModuleName = "SignalHarvester.Backup";

    /// <summary>Gets the full path of the module's manifest, or of the file or folder that the environment names.</summary>
    /// <param name="baseDirectory">The folder of the executable.</param>
    /// <exception cref="ModuleMissingException">There is no module at any of the places.</exception>
    public static string Find(string baseDirectory)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            string path = Path.GetFullPath(named);
            return Path.Exists(path)
                ? path
                : throw new ModuleMissingException($"The module that {Variable} names does not exist: {path}");
        }

        return Candidates(baseDirectory).FirstOrDefault(File.Exists)
            ?? throw new ModuleMissingException(
                $"The {ModuleName} module was not found beside {baseDirectory} nor in an 'out' folder above it. "
                + $"Build the solution (dotnet build -c Release), or set {Variable} to the module's folder.");
    }

    private static IEnumerable<string> Candidates(string baseDirectory)
    {
        yield return Manifest(Path.Combine(baseDirectory, "modules"));
        for (DirectoryInfo? folder = new(baseDirectory); folder is not null; folder = folder.Parent)
        {
            yield return Manifest(Path.Combine(folder.FullName, "out"));
        }
    }

    private static string Manifest(string modules) => Path.Combine(modules, ModuleName, ModuleName + ".psd1");
}
