using SignalHarvester.Backup.PowerShell.Tests.Support;

[assembly: AssemblyFixture(typeof(FirstImport))]

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>Imports the module before any test runs a command, and notes what that alone loaded into the process.</summary>
public sealed class FirstImport
{
    /// <summary>Imports the module.</summary>
    public FirstImport()
    {
        using var session = PowerShellSession.Start();
        // A dynamic assembly has no file.
        LoadedFiles = [.. AppDomain.CurrentDomain.GetAssemblies().Where(assembly => !assembly.IsDynamic).Select(assembly => assembly.Location)];
    }

    /// <summary>The files of the assemblies that were loaded right after the import.</summary>
    public IReadOnlyList<string> LoadedFiles { get; }
}
