using System.Text.Json;
using SignalHarvester.Backup.PowerShell.Tests.Docs;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>The built folder has everything that a user needs on every platform, and nothing else.</summary>
public class FolderTests
{
    private static readonly Dictionary<string, string> Natives = new()
    {
        ["win-x64"] = "e_sqlite3.dll",
        ["win-arm64"] = "e_sqlite3.dll",
        ["linux-x64"] = "libe_sqlite3.so",
        ["linux-arm64"] = "libe_sqlite3.so",
        ["linux-musl-x64"] = "libe_sqlite3.so",
        ["osx-x64"] = "libe_sqlite3.dylib",
        ["osx-arm64"] = "libe_sqlite3.dylib",
    };

    [Fact]
    public void The_manifest_is_clean()
    {
        using var session = PowerShellSession.StartBare();
        var result = session.Invoke("Test-ModuleManifest $args[0]", [], BuiltModule.Manifest).WithoutErrors();
        Assert.Empty(result.Warnings);
        Assert.Single(result.Output);
    }

    [Fact]
    public void The_manifest_names_the_version_that_was_built()
    {
        using var session = PowerShellSession.StartBare();
        var version = session.Invoke("(Test-ModuleManifest $args[0]).Version", [], BuiltModule.Manifest).WithoutErrors().As<Version>().Single();
        Assert.Equal(Version.Parse(BuiltModule.Version), version);
    }

    [Fact]
    public void The_manifest_lists_every_file_and_what_a_gallery_shows()
    {
        using var session = PowerShellSession.StartBare();
        var listed = session.Invoke("(Test-ModuleManifest $args[0]).FileList", [], BuiltModule.Manifest).WithoutErrors().As<string>();
        Assert.Equal(Files(), listed.Select(file => Path.GetRelativePath(BuiltModule.Base, file).Replace('\\', '/')).Order(StringComparer.Ordinal));
        var shown = session.Invoke(
            "$m = Test-ModuleManifest $args[0]; $m.Description, $m.ReleaseNotes, $m.ProjectUri.Scheme, $m.LicenseUri.Scheme, $m.IconUri.Scheme",
            [],
            BuiltModule.Manifest).WithoutErrors().As<string>();
        Assert.StartsWith("PowerShell 7.6+. ", shown[0], StringComparison.Ordinal);
        Assert.Equal(["https", "https", "https"], shown.Skip(2));
        var changes = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "CHANGELOG.md"));
        Assert.Equal(changes[(changes.IndexOf('\n', changes.IndexOf($"\n## {BuiltModule.Version} ", StringComparison.Ordinal) + 1))..].Trim(), shown[1]);
    }

    [Fact]
    public void The_module_base_holds_the_cmdlets_their_types_views_and_help()
    {
        Assert.Equal(
            [
                "SignalHarvester.Backup.Abstractions.dll",
                "SignalHarvester.Backup.Format.ps1xml",
                "SignalHarvester.Backup.PowerShell.dll",
                "SignalHarvester.Backup.Types.ps1xml",
                "SignalHarvester.Backup.Types.psd1",
                "SignalHarvester.Backup.psd1",
                "en-US/SignalHarvester.Backup.PowerShell.dll-Help.xml",
                "en-US/about_SignalHarvester.Backup.help.txt",
            ],
            Files().Where(f => !f.StartsWith("lib/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Natives_are_there_for_every_supported_platform_and_for_no_other()
    {
        var expected = Natives.Select(n => $"lib/runtimes/{n.Key}/native/{n.Value}").Order(StringComparer.Ordinal);
        Assert.Equal(expected, Files().Where(f => f.StartsWith("lib/runtimes/", StringComparison.Ordinal) && f.Contains("/native/", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_engine_s_list_of_dependencies_and_the_folder_agree()
    {
        using var list = JsonDocument.Parse(File.ReadAllText(BuiltModule.PathOf("lib/SignalHarvester.Backup.deps.json")));
        var libraries = list.RootElement.GetProperty("targets").EnumerateObject().Single().Value.EnumerateObject()
            .Where(library => !library.Name.StartsWith("SignalHarvester.Backup.Abstractions/", StringComparison.Ordinal))
            .ToList();
        var natives = libraries.SelectMany(l => Names(l, "runtimeTargets"));
        var managed = libraries.SelectMany(l => Names(l, "runtime")).Select(path => Path.GetFileName(path)!);

        var listed = natives.Concat(managed).Append("SignalHarvester.Backup.deps.json").Select(f => "lib/" + f);
        Assert.Equal(listed.Order(StringComparer.Ordinal), Files().Where(f => f.StartsWith("lib/", StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Names(JsonProperty library, string kind) =>
        library.Value.TryGetProperty(kind, out var files) ? files.EnumerateObject().Select(f => f.Name) : [];

    private static IOrderedEnumerable<string> Files() =>
        Directory.EnumerateFiles(BuiltModule.Base, "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(BuiltModule.Base, f).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);
}
