using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>The layers use only what they may use. Read from the built files, so that nothing is overlooked.</summary>
public class LayeringTests
{
    private const string Abstractions = "SignalHarvester.Backup.Abstractions";

    /// <summary>Types that reach the operating system without the engine.</summary>
    private static readonly string[] OperatingSystemTypes =
    [
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo",
        "System.IO.DriveInfo", "System.IO.RandomAccess", "System.IO.StreamReader", "System.IO.StreamWriter",
        "System.IO.FileSystemWatcher", "System.IO.MemoryMappedFiles.MemoryMappedFile", "System.Diagnostics.Process",
        "System.Net.Http.HttpClient", "System.Net.Sockets.Socket", "System.Runtime.InteropServices.NativeLibrary",
        "System.Runtime.InteropServices.DllImportAttribute", "System.Runtime.InteropServices.LibraryImportAttribute",
    ];

    [Fact]
    public void The_engine_knows_nothing_of_PowerShell()
    {
        var references = References("lib/SignalHarvester.Backup.dll");
        Assert.Contains(Abstractions, references);
        Assert.DoesNotContain(references, r => r.StartsWith("System.Management.Automation", StringComparison.Ordinal)
            || r.StartsWith("Microsoft.PowerShell", StringComparison.Ordinal)
            || r == "SignalHarvester.Backup.PowerShell");
    }

    [Fact]
    public void The_abstractions_reference_nothing_but_the_framework()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.All(References(Abstractions + ".dll"), r => Assert.True(File.Exists(Path.Join(framework, r + ".dll")), r));
    }

    [Fact]
    public void The_cmdlets_reference_the_engine_and_none_of_its_packages()
    {
        var references = References("SignalHarvester.Backup.PowerShell.dll");
        var packages = Directory.GetFiles(BuiltModule.PathOf("lib"), "*.dll")
            .Select(f => Path.GetFileNameWithoutExtension(f))
            .Where(name => name != "SignalHarvester.Backup");
        Assert.Empty(references.Intersect(packages));
    }

    [Fact]
    public void The_cmdlets_reach_the_operating_system_only_through_the_engine()
    {
        using var file = Open("SignalHarvester.Backup.PowerShell.dll");
        var reader = file.GetMetadataReader();
        var called = reader.MemberReferences
            .Select(handle => reader.GetMemberReference(handle).Parent)
            .Where(parent => parent.Kind == HandleKind.TypeReference)
            .Select(parent => FullName(reader, (TypeReferenceHandle)parent))
            .ToHashSet(StringComparer.Ordinal);

        Assert.Contains("System.Management.Automation.PSCmdlet", called);
        Assert.Empty(called.Intersect(OperatingSystemTypes));
        Assert.DoesNotContain(reader.MethodDefinitions, m => !reader.GetMethodDefinition(m).GetImport().Module.IsNil);
    }

    [Fact]
    public void Public_cmdlet_classes_derive_from_no_engine_type()
    {
        // PowerShell enumerates the public types before OnImport has said where the engine is.
        using var file = Open("SignalHarvester.Backup.PowerShell.dll");
        var reader = file.GetMetadataReader();
        var bases = reader.TypeDefinitions
            .Select(reader.GetTypeDefinition)
            .SelectMany(type => type.GetInterfaceImplementations().Select(i => reader.GetInterfaceImplementation(i).Interface).Append(type.BaseType))
            .Where(handle => handle.Kind == HandleKind.TypeReference)
            .Select(handle => reader.GetTypeReference((TypeReferenceHandle)handle).ResolutionScope)
            .Where(scope => scope.Kind == HandleKind.AssemblyReference)
            .Select(scope => reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)scope).Name));
        Assert.DoesNotContain("SignalHarvester.Backup", bases);
    }

    private static IReadOnlyList<string> References(string relativePath)
    {
        using var file = Open(relativePath);
        var reader = file.GetMetadataReader();
        return [.. reader.AssemblyReferences.Select(r => reader.GetString(reader.GetAssemblyReference(r).Name))];
    }

    private static PEReader Open(string relativePath) => new(File.OpenRead(BuiltModule.PathOf(relativePath)));

    private static string FullName(MetadataReader reader, TypeReferenceHandle handle)
    {
        var type = reader.GetTypeReference(handle);
        return $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
    }
}
