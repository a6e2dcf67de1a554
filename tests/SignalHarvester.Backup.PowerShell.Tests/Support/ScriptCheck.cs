namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>Checks scripts without running them.</summary>
internal static class ScriptCheck
{
    /// <summary>Returns the problems of a script: its syntax, and parameters that the module's cmdlets do not have.</summary>
    public static IReadOnlyList<string> Problems(PowerShellSession session, string code) => session.Invoke(
        """
        $errors = $null
        $tree = [System.Management.Automation.Language.Parser]::ParseInput($args[0], [ref]$null, [ref]$errors)
        foreach ($problem in $errors) { $problem.Message }
        foreach ($call in $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
            $command = Get-Command $call.GetCommandName() -Module SignalHarvester.Backup -ErrorAction Ignore
            if (-not $command) { continue }
            foreach ($element in $call.CommandElements) {
                if ($element -is [System.Management.Automation.Language.CommandParameterAst]) {
                    try { $null = $command.ResolveParameter($element.ParameterName) } catch { "$($call.Extent.Text): $_" }
                }
            }
        }
        """,
        [],
        code).WithoutErrors().As<string>();
}
