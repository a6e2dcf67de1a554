namespace SignalHarvester.Backup.Host.Tests;

public sealed class ExitCodeTests
{
    [Theory]
    [InlineData("1", 0)]
    [InlineData("No-Such; 1", 0)]
    [InlineData("1; No-Such", 1)]
    [InlineData("Write-EveryStream", 1)]
    [InlineData("throw 'bad'; 1", 1)]
    [InlineData("1 +", 1)]
    [InlineData("[int] 'x'", 1)]
    [InlineData("exit 7", 7)]
    [InlineData("throw 'bad'; exit 7", 1)]
    [InlineData("exit", 0)]
    public async Task The_exit_code_tells_how_the_command_ended(string command, int expected)
    {
        var run = await HostProcess.RunAsync("-Command", command);

        Assert.Equal(expected, run.ExitCode);
    }

    [Theory]
    [InlineData("exit 4", 4)]
    [InlineData("function Leave { exit 4 }\nLeave\nexit 5", 4)]
    [InlineData("No-Such", 0)]
    [InlineData("No-Such; exit $? ? 0 : 1", 1)]
    [InlineData("throw 'bad'", 1)]
    [InlineData("'fine'", 0)]
    [InlineData("oops)", 1)]
    public async Task The_exit_code_tells_how_a_script_file_ended(string script, int expected)
    {
        using ScriptFile file = new(script);

        Assert.Equal(expected, (await HostProcess.RunAsync("-File", file.Path)).ExitCode);
    }

    [Theory]
    [InlineData("if )", "Missing '(' after 'if' in if statement.")]
    [InlineData("throw 'bad luck'", "bad luck")]
    [InlineData("No-Such", "No-Such")]
    public async Task What_failed_is_said_on_standard_error(string command, string message)
    {
        var run = await HostProcess.RunAsync("-Command", command);

        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("--bogus")]
    [InlineData("script.ps1")]
    [InlineData("-Command")]
    [InlineData("-File")]
    [InlineData("-File", "no-such.ps1")]
    [InlineData("-File", "shbackup.dll")]
    public async Task Wrong_usage_is_64_and_shows_the_help(params string[] arguments)
    {
        var run = await HostProcess.RunAsync(arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.NotEmpty(run.Error);
        Assert.Contains("Usage:", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Help", "Usage:")]
    [InlineData("--help", "Exit code:")]
    [InlineData("-Version", "PowerShell 7.")]
    public async Task Help_and_version_need_no_module(string option, string text)
    {
        var run = await HostProcess.RunWithAsync(string.Empty, new() { ["SHBACKUP_MODULE_PATH"] = "/no/such" }, option);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains(text, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_module_is_named()
    {
        var run = await HostProcess.RunWithAsync(string.Empty, new() { ["SHBACKUP_MODULE_PATH"] = "/no/such.psd1" }, "-Command", "1");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("such.psd1", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_module_that_cannot_be_loaded_ends_with_70_and_the_reason()
    {
        using ScriptFile folder = new(string.Empty);
        var manifest = Path.Combine(folder.Folder, "Broken.psd1");
        await File.WriteAllTextAsync(manifest, "@{ RootModule = 'NotThere.psm1'; ModuleVersion = '1.0' }", TestContext.Current.CancellationToken);
        var run = await HostProcess.RunWithAsync(string.Empty, new() { ["SHBACKUP_MODULE_PATH"] = manifest }, "-Command", "1");

        Assert.Equal(70, run.ExitCode);
        Assert.Contains("NotThere.psm1", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task Where_no_folder_can_be_made_the_start_ends_in_one_sentence()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "takes /proc for a home in which nobody makes folders");
        var run = await HostProcess.RunWithAsync(string.Empty, new() { ["HOME"] = "/proc/home", ["XDG_CACHE_HOME"] = string.Empty }, "-Command", "1");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("shbackup: PowerShell cannot start, because", Assert.Single(StreamTests.Lines(run.Error)), StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }
}
