namespace SignalHarvester.Backup.Host.Tests;

public sealed class StreamTests
{
    [Fact]
    public async Task Objects_are_rendered_through_the_modules_views()
    {
        var run = await HostProcess.RunAsync("-Command", "Get-Probe -Count 1");

        Assert.Equal(["Thing         Bytes", "-----         -----", "item1           100"], Lines(run.Output));
        Assert.Empty(run.Error);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Objects_and_messages_go_to_output_and_errors_to_error()
    {
        var run = await HostProcess.RunAsync("-Command", "$VerbosePreference = $DebugPreference = 'Continue'; Write-EveryStream");

        Assert.Equal(["an object", "WARNING: a warning", "VERBOSE: a detail", "DEBUG: an insight"], Lines(run.Output));
        Assert.Equal(["Write-EveryStream: an error"], Lines(run.Error));
    }

    [Fact]
    public async Task A_pipe_gets_lines_of_any_length_unwrapped()
    {
        var run = await HostProcess.RunAsync("-Command", "'x' * 300000");

        Assert.Equal([new string('x', 300000)], Lines(run.Output));
    }

    [Fact]
    public async Task A_pipe_gets_no_escape_sequences_and_no_progress()
    {
        var run = await HostProcess.RunAsync("-Command", "Wait-Probe -Seconds 0.5; \"$([char]27)[31mred$([char]27)[0m\"; Write-EveryStream");

        Assert.Equal(["started", "finished", "red", "an object", "WARNING: a warning"], Lines(run.Output));
        Assert.DoesNotContain('\x1b', run.Error);
        Assert.DoesNotContain("Probing", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_is_utf8_without_a_byte_order_mark_whatever_the_locale()
    {
        var run = await HostProcess.RunWithAsync(string.Empty, new() { ["LC_ALL"] = "C" }, "-Command", "'Größe ≥ 漢字'");

        Assert.Equal("Größe ≥ 漢字" + Environment.NewLine, run.Output);
    }

    [Fact]
    public async Task Standard_input_is_run_as_one_script()
    {
        var run = await HostProcess.RunWithAsync("1 + 1\nif ($false) {\n  'no'\n}\nelse {\n  'multi'\n}\n", []);

        Assert.Equal(["2", "multi"], Lines(run.Output));
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Lines_of_standard_input_are_the_input_of_a_command_that_uses_it()
    {
        var run = await HostProcess.RunWithAsync("a\nb\n", [], "-Command", "$input | ForEach-Object { \"<$_>\" }");

        Assert.Equal(["<a>", "<b>"], Lines(run.Output));
    }

    [Fact]
    public async Task A_standard_input_that_nobody_closes_keeps_no_command_waiting()
    {
        using var host = HostProcess.Start("-Command", "'done'");

        Assert.Equal(["done"], Lines((await host.FinishAsync()).Output));
    }

    internal static string[] Lines(string text) =>
        text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
