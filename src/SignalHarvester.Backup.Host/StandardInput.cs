using System.Management.Automation.Language;

namespace SignalHarvester.Backup.Host;

/// <summary>Redirected standard input as <c>$input</c>.</summary>
internal static class StandardInput
{
    /// <summary>
    /// Gets the lines of standard input for a script that uses <c>$input</c>, else null: a pipe that
    /// nobody closes, as schedulers and build servers hand out, must not keep the others waiting.
    /// </summary>
    public static IEnumerable<string>? For(string script) =>
        Console.IsInputRedirected && UsesInput(Parser.ParseInput(script, out _, out _)) ? Lines() : null;

    private static bool UsesInput(ScriptBlockAst script) =>
        script.Find(
            node => node is VariableExpressionAst variable
                && variable.VariablePath.UserPath.Equals("input", StringComparison.OrdinalIgnoreCase),
            searchNestedScriptBlocks: false) is not null;

    private static IEnumerable<string> Lines()
    {
        while (Console.In.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
