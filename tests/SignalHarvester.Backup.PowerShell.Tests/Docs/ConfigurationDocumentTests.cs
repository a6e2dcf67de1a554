using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/CONFIGURATION.md names every key with its real default and variable, and its commands run.</summary>
public partial class ConfigurationDocumentTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "docs", "CONFIGURATION.md"));

    [Fact]
    public void Every_key_stands_in_it_with_its_default_and_its_variable()
    {
        using var workspace = new Workspace();
        var settings = workspace.Run("Get-SHBackupConfiguration").WithoutErrors().As<ConfigurationSetting>()
            .Select(
                setting => (setting.Key.Replace("app.backup.", string.Empty, StringComparison.Ordinal).Replace("app.", string.Empty, StringComparison.Ordinal),
                    setting.Key.EndsWith("backup_dir", StringComparison.Ordinal) ? "backups" : setting.Value, setting.EnvironmentVariable));
        var documented = Row().Matches(Text).Select(row => (row.Groups["key"].Value, Value(row, "default"), Value(row, "variable")));
        Assert.Equal(settings.Order(), documented.Order());
    }

    [Fact]
    public void Its_commands_and_its_file_work()
    {
        using var workspace = new Workspace();
        foreach (var command in MarkdownDocument.Load("docs/CONFIGURATION.md").TableCode("Use it"))
        {
            workspace.Run(command).WithoutErrors();
        }

        foreach (var text in MarkdownDocument.Load("docs/CONFIGURATION.md").Blocks("yaml"))
        {
            // A part of a file is indented as it stands there.
            var file = workspace.Configure(text.StartsWith(' ') ? "app:\n  backup:\n" + text : text);
            Assert.True(workspace.Run($"Test-SHBackupConfiguration '{file.Replace("'", "''", StringComparison.Ordinal)}' -Quiet").As<bool>().Single());
        }
    }

    private static string? Value(Match row, string group) => row.Groups[group].Value is { Length: > 0 } value ? value : null;

    [GeneratedRegex(@"(?m)^\| `(?<key>[a-z_0-9.]+)` \| [^|]+ \| (none|`(?<default>[^`]*)`) \| (none|`(?<variable>\w+)`) \|", RegexOptions.ExplicitCapture)]
    private static partial Regex Row();
}
