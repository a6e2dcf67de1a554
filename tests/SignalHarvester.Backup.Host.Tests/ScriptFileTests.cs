namespace SignalHarvester.Backup.Host.Tests;

public sealed class ScriptFileTests
{
    private const string Echo = """
        param([string] $Name, [switch] $Flag, [int] $Number)
        "name=$Name flag=$Flag number=$Number rest=$args"
        """;

    [Theory]
    [InlineData("name=a flag=False number=0 rest=", "a")]
    [InlineData("name=a b flag=True number=3 rest=", "-Name", "a b", "-Flag", "-Number", "3")]
    [InlineData("name=a flag=False number=0 rest=", "-Name:a", "-Flag:$false")]
    [InlineData("name= flag=False number=-5 rest=", "-Number", "-5")]
    [InlineData("name=$(exit 9) flag=False number=0 rest=", "$(exit 9)")]
    public async Task Arguments_bind_to_the_scripts_parameters(string expected, params string[] arguments)
    {
        using ScriptFile file = new(Echo);

        var run = await HostProcess.RunAsync(["-File", file.Path, .. arguments]);

        Assert.Equal([expected], StreamTests.Lines(run.Output));
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task A_script_knows_its_folder()
    {
        using ScriptFile file = new("$PSScriptRoot");

        Assert.Equal([file.Folder], StreamTests.Lines((await HostProcess.RunAsync("-File", file.Path)).Output));
    }

    [Fact]
    public async Task An_error_shows_the_line_of_the_script()
    {
        using ScriptFile file = new("'one'\nthrow 'two'");

        var run = await HostProcess.RunAsync("-File", file.Path);

        Assert.Contains("a script.ps1:2", run.Error, StringComparison.Ordinal);
    }
}
