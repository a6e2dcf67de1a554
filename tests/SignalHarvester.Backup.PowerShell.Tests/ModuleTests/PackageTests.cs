using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SignalHarvester.Backup.PowerShell.Tests.Docs;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>The published package installs into an empty module path, and works from there.</summary>
public sealed class PackageTests : IDisposable
{
    // MSBuild accepts no semicolon in a path, and the engine no bracket in PSModulePath; a workspace's path has both.
    private readonly DirectoryInfo packages = Directory.CreateTempSubdirectory("shbackup-package-");

    /// <summary>Removes the package.</summary>
    public void Dispose() => packages.Delete(recursive: true);

    [Fact]
    public async Task The_package_installs_into_an_empty_module_path_and_works_from_there()
    {
        using var workspace = new Workspace();
        using var package = await PackAsync();
        var metadata = Metadata(package);
        Assert.Equal(("SignalHarvester.Backup", BuiltModule.Version), (metadata("id"), metadata("version")));

        // In the form of Install-PSResource: everything except the package's own files.
        var modules = Path.Combine(packages.FullName, "modules");
        var installed = Path.Combine(modules, "SignalHarvester.Backup", metadata("version")!);
        foreach (var entry in package.Entries.Where(entry => !IsOfThePackage(entry.FullName)))
        {
            var target = Path.Combine(installed, entry.FullName);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            entry.ExtractToFile(target);
        }

        // The host has the module in the first folder of its own module path, so that is set anew.
        File.WriteAllText(workspace["none.psm1"], string.Empty);
        var output = await HostRun.SucceedAsync(
            workspace.Folder,
            "$env:PSModulePath = $env:ONLY_MODULES; Import-Module SignalHarvester.Backup -ErrorAction Stop; New-SHBackup ./app.db -BackupDirectory ./backups | Test-SHBackup -Quiet; (Get-Command Get-SHBackup).Module.ModuleBase; (Get-Help New-SHBackup).Synopsis",
            ("SHBACKUP_MODULE_PATH", workspace["none.psm1"]),
            ("ONLY_MODULES", modules));
        Assert.Equal(["True", installed, "Backs up an SQLite database while it is in use."], output);
    }

    [Fact]
    public async Task A_gallery_can_show_what_the_package_is_and_find_its_commands()
    {
        using var package = await PackAsync();
        var metadata = Metadata(package);
        Assert.All(["license", "icon", "readme"], name => Assert.NotNull(package.GetEntry(metadata(name)!)));
        Assert.StartsWith(metadata("releaseNotes")!.ReplaceLineEndings("\n"), ChangesOf(BuiltModule.Version), StringComparison.Ordinal);
        Assert.NotEmpty(metadata("description")!);

        using var session = PowerShellSession.Start();
        var commands = session.Invoke("(Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name").WithoutErrors().As<string>();
        var tags = metadata("tags")!.Split(' ');
        Assert.Contains("PSModule", tags);
        Assert.Equal(
            commands.Order(), tags.Where(tag => tag.StartsWith("PSCmdlet_", StringComparison.Ordinal)).Select(tag => tag["PSCmdlet_".Length..]).Order());
    }

    [Fact]
    public void Every_library_that_is_shipped_stands_in_the_notices()
    {
        using var list = JsonDocument.Parse(File.ReadAllText(BuiltModule.PathOf("lib/SignalHarvester.Backup.deps.json")));
        var shipped = list.RootElement.GetProperty("targets").EnumerateObject().Single().Value.EnumerateObject()
            .Where(library => library.Value.TryGetProperty("runtime", out _) || library.Value.TryGetProperty("runtimeTargets", out _))
            .Select(library => library.Name[..library.Name.IndexOf('/', StringComparison.Ordinal)])
            .Where(name => !name.StartsWith("SignalHarvester.", StringComparison.Ordinal));
        var noted = File.ReadLines(Path.Combine(MarkdownDocument.Root, "THIRD-PARTY-NOTICES.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Split(" | ")[0][2..]);
        Assert.Equal(shipped.Order(), noted.Order());
    }

    [Fact]
    public void What_the_host_ships_besides_stands_in_the_notices()
    {
        using var list = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(BuiltModule.Host, null) + ".deps.json"));
        var shipped = list.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() == "package")
            .Select(library => library.Name[..library.Name.IndexOf('/', StringComparison.Ordinal)]);
        var paragraph = File.ReadLines(Path.Combine(MarkdownDocument.Root, "THIRD-PARTY-NOTICES.md"))
            .Single(line => line.StartsWith("The program `shbackup`", StringComparison.Ordinal));
        Assert.All(shipped, name => Assert.Matches($@"[ ]{Regex.Escape(name)}[ ,.]", paragraph));
    }

    private async Task<ZipArchive> PackAsync()
    {
        var project = Path.Combine(MarkdownDocument.Root, "src", "SignalHarvester.Backup.PowerShell");
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            ["pack", project, "--no-build", "-c", BuiltModule.Configuration, "-o", packages.FullName, "-v", "quiet", "-nologo"])
        { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        return await ZipFile.OpenReadAsync(Directory.GetFiles(packages.FullName, "*.nupkg").Single(), TestContext.Current.CancellationToken);
    }

    private static Func<string, string?> Metadata(ZipArchive package)
    {
        using var stream = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
        return name => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
    }

    private static bool IsOfThePackage(string name) =>
        name.EndsWith(".nuspec", StringComparison.Ordinal) || name == "[Content_Types].xml" || name.StartsWith("_rels/", StringComparison.Ordinal)
            || name.StartsWith("package/", StringComparison.Ordinal);

    private static string ChangesOf(string version)
    {
        var text = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "CHANGELOG.md")).ReplaceLineEndings("\n");
        var start = text.IndexOf('\n', text.IndexOf($"\n## {version} ", StringComparison.Ordinal) + 1);
        return text[start..].TrimStart();
    }
}
