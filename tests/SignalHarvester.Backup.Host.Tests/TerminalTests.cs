namespace SignalHarvester.Backup.Host.Tests;

public sealed class TerminalTests
{
    [Fact]
    public async Task Colours_reach_a_terminal()
    {
        using var host = HostProcess.StartOnTerminal([], "Write-EveryStream");

        Assert.Contains("\x1b[33;1mWARNING: a warning", (await host.FinishAsync()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_color_keeps_them_away()
    {
        using var host = HostProcess.StartOnTerminal(new() { ["NO_COLOR"] = "1" }, "Write-EveryStream; Get-Probe; \"$([char]27)[31mred\"");

        var output = (await host.FinishAsync()).Output;

        Assert.Contains("WARNING: a warning", output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "m", string.Concat(output.Split("\x1b[").Skip(1).Select(rest => rest.TrimStart("0123456789;".ToCharArray())[..1])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_stops_the_pipeline_and_waits_for_its_clean_up()
    {
        using ScriptFile folder = new(string.Empty);
        var mark = Path.Combine(folder.Folder, "mark");
        using var host = HostProcess.StartOnTerminal([], $"Wait-Probe -Mark '{mark}'");
        await host.WaitForAsync("started");
        await host.TypeAsync("\x03");

        Assert.Equal(130, (await host.FinishAsync()).ExitCode);
        Assert.True(File.Exists(mark));
    }
}
