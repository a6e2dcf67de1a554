using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>The README contains only what works: its pipelines run unchanged.</summary>
public class ReadmeTests
{
    [Fact]
    public void The_main_command_backs_up_the_sample_database_and_verifies_it()
    {
        var command = MarkdownDocument.Load("README.md").Blocks("sh")[0];
        Assert.StartsWith("dotnet run --project src/SignalHarvester.Backup.Host -c Release -v minimal -- -Command \"", command, StringComparison.Ordinal);
        var pipeline = command[(command.IndexOf('"', StringComparison.Ordinal) + 1)..command.LastIndexOf('"')];

        using var workspace = new Workspace();
        Directory.CreateDirectory(workspace["samples"]);
        File.Copy(Path.Combine(MarkdownDocument.Root, "samples", "app.db"), workspace["samples", "app.db"]);
        var backup = workspace.Run(pipeline).WithoutErrors().As<BackupMetadata>().Single();

        Assert.True(backup.Verified);
        Assert.Equal(VerificationLevel.Full, backup.VerificationLevel);
        Assert.Equal(900, backup.RowCounts!["signals"]);
    }

    [Fact]
    public void The_pipelines_of_the_table_run_in_its_order()
    {
        using var workspace = new Workspace("Yes", "Yes", "Yes", "Yes");
        var pipelines = MarkdownDocument.Load("README.md").TableCode("Use it");
        Assert.True(pipelines.Count >= 25, string.Join('\n', pipelines));

        // There is no stand-in for schtasks: anything registered there would be real.
        foreach (var pipeline in pipelines.Where(pipeline => !OperatingSystem.IsWindows() || !pipeline.Contains("Schedule", StringComparison.Ordinal)))
        {
            // The document's moment is before the first backup here.
            _ = workspace.Run(pipeline.Replace("'2026-11-22 14:30'", "'2100-01-01'", StringComparison.Ordinal)).WithoutErrors();
        }

        Assert.True(File.Exists(workspace["restored.db"]));
        Assert.NotEmpty(workspace.Listed());
    }

    [Fact]
    public void The_output_at_the_top_has_the_shape_of_what_the_commands_write()
    {
        using var workspace = new Workspace();
        File.Copy(Path.Combine(MarkdownDocument.Root, "samples", "app.db"), workspace.Database, overwrite: true);
        var commands = MarkdownDocument.Load("README.md").Blocks("powershell")[0].Split('\n').Select(line => line.Split("  #")[0].TrimEnd()).ToList();
        var written = string.Concat(commands
            .Where(command => command.StartsWith("New-", StringComparison.Ordinal) || command.EndsWith("Test-SHBackup", StringComparison.Ordinal))
            .Select(command => workspace.Session.Render(command)));
        Assert.Equal(Shape(MarkdownDocument.Load("README.md").Blocks("text")[0]), Shape(written));

        // Numbers and the widths of columns differ from run to run.
        static string[] Shape(string shown) =>
        [
            .. shown.Split('\n').Select(line => Regex.Replace(Regex.Replace(line.Trim(), "[0-9]+(\\.[0-9]+)?", "0"), " +", " "))
                .Where(line => line.Length > 0),
        ];
    }

    [Fact]
    public void What_removes_the_schedules_leaves_none()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run(
            "Register-SHBackupSchedule uninstalled -Daily -DatabasePath ./app.db; Register-SHBackupSchedule uninstalled-too -Drill -Monthly -BackupDirectory ./backups")
            .WithoutErrors();
        var command = Assert.Single(MarkdownDocument.Load("README.md").Sections("powershell").Single(section => section.Heading == "Uninstall it").Blocks).Code;

        // The tests of other classes have their own schedules meanwhile.
        workspace.Run(command.Replace("Get-SHBackupSchedule", "Get-SHBackupSchedule uninstalled*", StringComparison.Ordinal)).WithoutErrors();
        Assert.Empty(workspace.Run("Get-SHBackupSchedule uninstalled*").WithoutErrors().Output);
    }

    [Fact]
    public void Every_document_that_the_readme_links_to_is_there()
    {
        var text = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "README.md"));
        var links = Regex.Matches(text, @"\]\((?<path>[^)#:]+)(#[^)]*)?\)").Select(match => match.Groups["path"].Value);
        Assert.All(links, link => Assert.True(File.Exists(Path.Combine(MarkdownDocument.Root, link)), link));
    }
}
