using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;
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
    public void OnImport()
    {
        if (Interlocked.Exchange(ref subscribed, 1) == 0)
        {
            AssemblyLoadContext.Default.Resolving += ResolveEngine;
            TerminationSignals.Listen();
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
