using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The Pester specs. They run in pwsh, are PowerShell themselves, and call the cmdlets directly.</summary>
public class PesterSpecTests
{
    /// <summary>The names of the spec files.</summary>
    public static TheoryData<string> Specs => [.. Directory.EnumerateFiles(BuiltModule.PesterSpecs, "*.Tests.ps1").Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Specs))]
    public void A_spec_parses_and_uses_parameters_that_exist(string file)
    {
        using var session = PowerShellSession.Start();
        var problems = session.Invoke(
            """
            $errors = $null
            $tree = [System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$errors)
            foreach ($problem in $errors) { "$($problem.Extent.StartLineNumber): $($problem.Message)" }
            foreach ($call in $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
                $name = $call.GetCommandName()
                if ($name -notlike '*-SH*') { continue }
                $command = Get-Command $name -Module SignalHarvester.Backup -ErrorAction Ignore
                if (-not $command) { "$($call.Extent.StartLineNumber): there is no $name"; continue }
                foreach ($element in $call.CommandElements) {
                    if ($element -is [System.Management.Automation.Language.CommandParameterAst]) {
                        try { $null = $command.ResolveParameter($element.ParameterName) } catch { "$($call.Extent.StartLineNumber): $_" }
                    }
                }
            }
            """,
            [],
            Path.Combine(BuiltModule.PesterSpecs, file)).WithoutErrors();
        Assert.Empty(problems.Output.Select(problem => problem.ToString()));
    }

    [Fact]
    public void Every_cmdlet_has_a_spec()
    {
        using var session = PowerShellSession.Start();
        var commands = session.Invoke("(Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name").WithoutErrors().As<string>();
        Assert.All(commands, command => Assert.True(File.Exists(Path.Combine(BuiltModule.PesterSpecs, command + ".Tests.ps1")), command));
    }
}
