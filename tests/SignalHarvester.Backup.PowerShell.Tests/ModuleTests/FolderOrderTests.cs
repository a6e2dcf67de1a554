using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using SignalHarvester.Backup.PowerShell.Tests.Docs;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>The engine's arrows point down: no folder uses a type of a higher one.</summary>
public class FolderOrderTests
{
    private const string Usings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    // Lowest first, as in the picture at the top of docs/ARCHITECTURE.md; a subfolder that is not named here belongs to its folder's floor.
    private static readonly string[] Floors =
    [
        "Text", "Storage", "Sqlite", "Encryption/Age", "Encryption", "Progress", "Formats", "ObjectStorage", "Catalog", "Chains", "Continuous", "Retention",
        "Configuration/Settings", "Configuration", "History", "Metrics", "Health",
        "Operations", "Operations/Transfer", "Operations/Verify", "Operations/Create", "Operations/Restore", "Operations/Query", "Operations/Rows",
        "Operations/Remove", "Operations/Scrub", "Operations/Drill",
        "BackupEngine.cs", "Protection", "Standby", "Scheduling",
    ];

    private static readonly Lazy<CSharpCompilation> Compilation = new(Compile);

    private static readonly string Engine = Path.Combine(MarkdownDocument.Root, "src", "SignalHarvester.Backup");

    [Fact]
    public void No_folder_of_the_engine_uses_a_folder_above_it()
    {
        var compilation = Compilation.Value;
        var files = compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0).ToList();
        Assert.All(files, tree => Assert.True(Floor(tree.FilePath) >= 0, $"{tree.FilePath} is on no floor"));

        var uphill = files.SelectMany(
            tree => Uses(compilation, tree).Where(used => Floor(used) > Floor(tree.FilePath)).Select(used => $"{Name(tree.FilePath)} uses {Name(used)}"));

        Assert.Empty(uphill.Distinct());
    }

    [Fact]
    public void What_a_file_uses_is_found()
    {
        var compilation = Compilation.Value;

        // Otherwise the test above could not fail.
        Assert.Contains(
            Uses(compilation, compilation.SyntaxTrees.Single(tree => Name(tree.FilePath) == "BackupEngine.cs")),
            used => Name(used) == "Operations/Create/CreateBackup.cs");
        Assert.True(Floor(Path.Combine(Engine, "Operations", "Create", "CreateBackup.cs")) > Floor(Path.Combine(Engine, "Catalog", "BackupDirectory.cs")));
    }

    private static CSharpCompilation Compile()
    {
        var sources = Directory.EnumerateFiles(Engine, "*.cs", SearchOption.AllDirectories)
            .Where(path => Path.GetRelativePath(Engine, path).Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"))
            .Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), path: path))
            .Append(CSharpSyntaxTree.ParseText(Usings));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Concat(Directory.GetFiles(BuiltModule.PathOf("lib"), "*.dll").Where(path => Path.GetFileName(path) != "SignalHarvester.Backup.dll"))
            .DistinctBy(Path.GetFileName)
            .Select(path => MetadataReference.CreateFromFile(path));
        return CSharpCompilation.Create("engine", sources, references, new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
    }

    /// <summary>Returns the files whose types a file uses, also through members of theirs that are in scope without the type's name.</summary>
    private static IEnumerable<string> Uses(CSharpCompilation compilation, SyntaxTree tree)
    {
        var model = compilation.GetSemanticModel(tree);
        return tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>()
            .Select(name => model.GetSymbolInfo(name).Symbol)
            .Select(symbol => symbol as INamedTypeSymbol ?? symbol?.ContainingType)
            .OfType<INamedTypeSymbol>()
            .SelectMany(type => type.OriginalDefinition.DeclaringSyntaxReferences)
            .Select(declaration => declaration.SyntaxTree.FilePath)
            .Where(path => path.Length > 0 && path != tree.FilePath)
            .Distinct();
    }

    private static string Name(string path) => path.Length == 0 ? path : Path.GetRelativePath(Engine, path).Replace('\\', '/');

    private static int Floor(string path)
    {
        var floor = Name(path);
        while (floor.Length > 0 && !Floors.Contains(floor))
        {
            floor = floor.Contains('/', StringComparison.Ordinal) ? floor[..floor.LastIndexOf('/')] : string.Empty;
        }

        return Array.IndexOf(Floors, floor);
    }
}
