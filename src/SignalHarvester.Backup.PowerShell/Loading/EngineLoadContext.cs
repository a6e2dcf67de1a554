using System.Reflection;
using System.Runtime.Loader;

namespace SignalHarvester.Backup.PowerShell.Loading;

/// <summary>
/// Where the engine, its packages and their native libraries live, apart from everything else in the process.
/// It is never unloaded: SQLite could not be.
/// </summary>
internal sealed class EngineLoadContext(string enginePath) : AssemblyLoadContext("SignalHarvester.Backup")
{
    private static readonly Assembly Abstractions = typeof(BackupMetadata).Assembly;

    private readonly AssemblyDependencyResolver resolver = new(enginePath);

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        // One copy for both sides, or the engine's BackupMetadata would not be the cmdlets' BackupMetadata.
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
