namespace SignalHarvester.Backup.Host.Tests;

public sealed class TerminalTests
{
    [Fact]
    public async Task Progress_is_drawn_and_erased()
    {
        using HostProcess host = HostProcess.StartOnTerminal([], "Wait-Probe -Seconds 1");

        RunResult run = await host.FinishAsync();

        const string Line = "Probing app.db  [##########..........]  50%  page 7  00:01:01 left";
        Assert.Contains(Line, run.Output, StringComparison.Ordinal);

        // Whether or not it was drawn once more before the end.
        Assert.Equal(["started", "finished"], Screen.Show(run.Output));
    }

    [Fact]
    public async Task Colours_reach_a_terminal()
    {
        using HostProcess host = HostProcess.StartOnTerminal([], "Write-EveryStream");

        Assert.Contains("\x1b[33;1mWARNING: a warning", (await host.FinishAsync()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_color_keeps_them_away()
    {
        using HostProcess host = HostProcess.StartOnTerminal(new() { ["NO_COLOR"] = "1" }, "Write-EveryStream; Get-Probe; \"$([char]27)[31mred\"");

        string output = (await host.FinishAsync()).Output;

        Assert.Contains("WARNING: a warning", output, StringComparison.Ordinal);
        Assert.DoesNotContain("m", string.Concat(output.Split("\x1b[").Skip(1).Select(rest => rest.TrimStart("0123456789;".ToCharArray())[..1])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_stops_the_pipeline_and_waits_for_its_clean_up()
    {
        using ScriptFile folder = new(string.Empty);
        string mark = Path.Combine(folder.Folder, "mark");
        using HostProcess host = HostProcess.StartOnTerminal([], $"Wait-Probe -Mark '{mark}'");
        await host.WaitForAsync("started");
        await host.TypeAsync("\x03");

        Assert.Equal(130, (await host.FinishAsync()).ExitCode);
        Assert.True(File.Exists(mark));
    }

    [Fact]
    public async Task Ctrl_C_gives_up_a_question()
    {
        using HostProcess host = HostProcess.StartOnTerminal([], "Remove-Probe a; 'next'");
        await host.WaitForAsync("(default is \"Y\"): ");
        await host.TypeAsync("\x03");

        RunResult run = await host.FinishAsync();

        Assert.Equal(130, run.ExitCode);
        Assert.DoesNotContain("next", run.Output, StringComparison.Ordinal);
    }
}
