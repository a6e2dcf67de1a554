using System.Reflection;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>The module folder that the build made under <c>out/</c>. Every test here imports it.</summary>
internal static class BuiltModule
{
    /// <summary>The module's folder.</summary>
    public static string Base { get; } = Metadata("ModuleOutput");

    /// <summary>The version that the build was told to make.</summary>
    public static string Version { get; } = Metadata("ModuleVersion");

    /// <summary>The configuration that was built.</summary>
    public static string Configuration { get; } = Metadata("Configuration");

    /// <summary>The path of the manifest, for Import-Module.</summary>
    public static string Manifest { get; } = PathOf("SignalHarvester.Backup.psd1");

    /// <summary>The path of the built host, for tests that need a process of its own.</summary>
    public static string Host { get; } = Path.GetFullPath(Path.Join(Metadata("HostOutput"), OperatingSystem.IsWindows() ? "shbackup.exe" : "shbackup"));

    /// <summary>The folder in which NuGet keeps packages, and dotnet the restored tools.</summary>
    public static string PackageRoot { get; } = Metadata("PackageRoot");

    /// <summary>The folder of the Pester specs.</summary>
    public static string PesterSpecs { get; } = Path.GetFullPath(Metadata("PesterSpecs"));

    /// <summary>Returns the path of a file of the module.</summary>
    /// <param name="relativePath">Its path from the module's folder, with forward slashes.</param>
    public static string PathOf(string relativePath) => Path.GetFullPath(Path.Join(Base, relativePath));

    private static string Metadata(string key) =>
        typeof(BuiltModule).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
