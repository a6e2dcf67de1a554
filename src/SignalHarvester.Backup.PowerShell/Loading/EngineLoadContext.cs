using System.Reflection;
using System.Runtime.Loader;

namespace SignalHarvester.Backup.PowerShell.Loading;

/// <summary>
/// The load context of the engine, its packages and their native libraries, apart from everything else in the process. It is
/// never unloaded, because SQLite cannot be unloaded.
/// </summary>
internal sealed class EngineLoadContext(string enginePath) : AssemblyLoadContext("SignalHarvester.Backup")
{
    private static readonly Assembly Abstractions = typeof(BackupMetadata).Assembly;

    private readonly AssemblyDependencyResolver resolver = new(enginePath);

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        // Both sides share one copy, because otherwise the engine's BackupMetadata would not be the cmdlets' BackupMetadata.
        if (assemblyName.Name == Abstractions.GetName().Name)
        {
            return Abstractions;
        }

        return resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
}
