using System.Diagnostics;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>A copy of the built module in a folder of its own, for tests that change it.</summary>
internal sealed class ModuleCopy : IDisposable
{
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory("shbackup-module-");

    /// <summary>Copies the module.</summary>
    public ModuleCopy()
    {
        foreach (var file in Directory.EnumerateFiles(BuiltModule.Base, "*", SearchOption.AllDirectories))
        {
            var target = Path.Join(parent.FullName, "SignalHarvester.Backup", Path.GetRelativePath(BuiltModule.Base, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>The copy's manifest.</summary>
    public string Manifest => Path.Join(parent.FullName, "SignalHarvester.Backup", "SignalHarvester.Backup.psd1");

    /// <summary>The full path of something in the copy's folder.</summary>
    public string this[params string[] parts] => Path.Combine([Path.GetDirectoryName(Manifest)!, .. parts]);

    /// <summary>
    /// Runs a command with the copy in a process of its own, because this one has loaded the engine already, with all its libraries.
    /// </summary>
    public async Task<(int Code, string Output, string Said)> RunAsync(string folder, string command)
    {
        var start = new ProcessStartInfo(BuiltModule.Host, ["-Command", command])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SHBACKUP_MODULE_PATH"] = Manifest;
        using var host = Process.Start(start)!;
        var errors = host.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await host.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await host.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (host.ExitCode, output, await errors);
    }

    /// <summary>Removes the copy. Windows keeps loaded files; then the copy stays in the folder for temporary files.</summary>
    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
        {
            parent.Delete(recursive: true);
        }
    }
}
