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
        RunResult run = await HostProcess.RunAsync("-Command", command);

        Assert.Equal(expected, run.ExitCode);
    }

    [Theory]
    [InlineData("exit 4", 4)]
    [InlineData("function Leave { exit 4 }\nLeave\nexit 5", 4)]
    [InlineData("No-Such", 1)]
    [InlineData("throw 'bad'", 1)]
    [InlineData("'fine'", 0)]
    [InlineData("oops)", 1)]
    public async Task The_exit_code_tells_how_a_script_file_ended(string script, int expected)
    {
        using ScriptFile file = new(script);

        Assert.Equal(expected, (await HostProcess.RunAsync("-File", file.Path)).ExitCode);
    }

    [Theory]
    [InlineData("1 +", "You must provide a value expression following the '+' operator.")]
    [InlineData("throw 'bad luck'", "bad luck")]
    [InlineData("No-Such", "No-Such")]
    public async Task What_failed_is_said_on_standard_error(string command, string message)
    {
        RunResult run = await HostProcess.RunAsync("-Command", command);

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
    public async Task Wrong_usage_is_64_and_points_to_the_help(params string[] arguments)
    {
        RunResult run = await HostProcess.RunAsync(arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("-Help", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("-Help", "Usage:")]
    [InlineData("--help", "Exit code:")]
    [InlineData("-Version", "PowerShell 7.")]
    public async Task Help_and_version_need_no_module(string option, string text)
    {
        RunResult run = await HostProcess.RunWithAsync(string.Empty, new() { ["SHBACKUP_MODULE_PATH"] = "/no/such" }, option);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains(text, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_module_is_named()
    {
        RunResult run = await HostProcess.RunWithAsync(string.Empty, new() { ["SHBACKUP_MODULE_PATH"] = "/no/such.psd1" }, "-Command", "1");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("such.psd1", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }
}
