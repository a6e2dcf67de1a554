using System.Security.Cryptography;
using System.Text;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Every example of every cmdlet's help works unchanged, where there is ./app.db and ./backups.</summary>
public class HelpExampleTests
{
    /// <summary>Cmdlet and code of each example.</summary>
    public static TheoryData<string, string> Examples()
    {
        using var session = PowerShellSession.Start();
        var examples = new TheoryData<string, string>();
        foreach (var command in session.Invoke("(Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name").WithoutErrors().As<string>())
        {
            foreach (var code in session.Invoke("(Get-Help $args[0]).examples.example | ForEach-Object { [string]$_.code }", [], command)
                .WithoutErrors().As<string>())
            {
                examples.Add(command, code);
            }
        }

        return examples;
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void An_example_runs_as_it_stands(string command, string code)
    {
        Assert.SkipWhen(
            OperatingSystem.IsWindows() && code.Contains("Register-SHBackupSchedule", StringComparison.Ordinal),
            "it would register a real task: there is no stand-in for schtasks");
        Assert.SkipWhen(
            code.StartsWith("# A store with a stream", StringComparison.Ordinal), "takes a stream in a store: StreamCommandTests of the object stores");
        using var workspace = new Workspace([.. Enumerable.Repeat("Yes", 20)]);
        workspace.AddBackup(TimeSpan.FromDays(100));
        workspace.AddBackup(TimeSpan.FromDays(31));
        workspace.AddBackup(TimeSpan.FromDays(1));
        using var running = Protected(workspace);
        var result = workspace.Run(code).WithoutErrors();
        Assert.True(
            result.Output.Count > 0 || workspace.Session.Host.Shown.Contains("What if", StringComparison.Ordinal),
            $"An example of {command} does nothing: {code}");
    }

    /// <summary>What a process leaves that protects the sample and is behind.</summary>
    private static FileStream Protected(Workspace workspace)
    {
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(workspace.Database)).AsSpan(0, 8));
        var folder = Directory.CreateDirectory(Path.Combine(workspace.Backups, ".shbackup", "protection", key)).FullName;
        File.WriteAllText(
            Path.Combine(folder, "status.json"),
            $$"""{"database":{{System.Text.Json.JsonSerializer.Serialize(workspace.Database)}},"state":"Following","lag":"00:00:20"}""");
        return new FileStream(Path.Combine(folder, "running"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
    }
}
