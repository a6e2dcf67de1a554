using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;
using SignalHarvester.Backup.PowerShell.Commands;
using SignalHarvester.Backup.PowerShell.Signals;

namespace SignalHarvester.Backup.PowerShell.Loading;

/// <summary>
/// Runs when the module is imported. The engine and its packages must not meet other modules' versions of the same packages, so
/// they have a load context of their own, and this tells the default one where to find the engine. From here on, signals that end
/// the process wait for the module's operations.
/// </summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer
{
    private const string EngineName = "SignalHarvester.Backup";

    private static readonly Lazy<Assembly> Engine = new(LoadEngine);

    private static int subscribed;

    /// <summary>Subscribes and listens once in a process, however often and in however many runspaces the module is imported.</summary>
    /// <exception cref="RuntimeException">ModuleLoadedTwice.</exception>
    public void OnImport()
    {
        RefuseSecondCopy();
        if (Interlocked.Exchange(ref subscribed, 1) == 0)
        {
            AssemblyLoadContext.Default.Resolving += ResolveEngine;
            TerminationSignals.Listen();
        }
    }

    /// <summary>
    /// Refuses to be imported beside another copy of the module in the same session. The manifest loads this assembly first: the types of
    /// a second copy would be declared twice, with an error for each member.
    /// </summary>
    private static void RefuseSecondCopy()
    {
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        if (shell.AddCommand("Get-Module").AddParameter("Name", EngineName).Invoke<PSModuleInfo>() is [var other, ..])
        {
            var fault = new BackupException(
                BackupErrorId.ModuleLoadedTwice, other.ModuleBase,
                $"This session has {EngineName} {other.Version} from '{other.ModuleBase}' already, and a session can have one copy only. To use this one, run 'Remove-Module {EngineName}' first; if it is of another version, start a new session.");
            throw new RuntimeException(fault.Message, fault, fault.ToRecord());
        }
    }

    private static Assembly? ResolveEngine(AssemblyLoadContext context, AssemblyName name) =>
        name.Name == EngineName ? Engine.Value : null;

    private static Assembly LoadEngine()
    {
        var moduleBase = Path.GetDirectoryName(typeof(ModuleInitializer).Assembly.Location)!;
        var enginePath = Path.Join(moduleBase, "lib", EngineName + ".dll");
        return new EngineLoadContext(enginePath).LoadFromAssemblyPath(enginePath);
    }
}
