using System.Text;

namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>Writes help as Markdown, one file for each command and a list of them.</summary>
internal static class MarkdownWriter
{
    /// <summary>Writes the files.</summary>
    /// <param name="commands">The commands.</param>
    /// <param name="folder">The folder. A missing one is made. All Markdown in it is deleted first, so that no removed command stays.</param>
    public static void Write(IReadOnlyList<CommandHelp> commands, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(folder, "*.md"))
        {
            File.Delete(file);
        }

        foreach (var command in commands)
        {
            File.WriteAllText(Path.Join(folder, command.Name + ".md"), Text(command));
        }

        File.WriteAllText(Path.Join(folder, "README.md"), List(commands));
    }

    private static string List(IEnumerable<CommandHelp> commands) => string.Join('\n',
    [
        "# Cmdlets",
        "",
        "The same text as `Get-Help <cmdlet> -Full`. Made by `dotnet build src/SignalHarvester.Backup.PowerShell -c Release -t:WriteMarkdown`; do not edit.",
        "",
        "| cmdlet | |",
        "|---|---|",
        .. commands.Select(command => $"| [{command.Name}]({command.Name}.md) | {Escape(command.Synopsis)} |"),
        "",
    ]);

    private static string Text(CommandHelp help)
    {
        var text = new StringBuilder();
        Add($"# {help.Name}", help.Synopsis);
        Add("## Syntax", [.. help.ParameterSets.Select(set => Fence(set.Syntax))]);
        Add("## Description", [.. help.Description.Select(Escape)]);
        Add("## Examples");
        foreach (var (example, index) in help.Examples.Select((e, i) => (e, i)))
        {
            Add($"### Example {index + 1}: {Escape(example.Title)}", [Fence(example.Code), .. example.Remarks.Select(Escape)]);
        }

        Add("## Parameters");
        foreach (var parameter in help.Parameters)
        {
            Add($"### -{parameter.Name}", [.. parameter.Description.Select(Escape), Facts(parameter)]);
        }

        Add("## Inputs", help.Inputs.Count == 0 ? ["None"] : [.. help.Inputs.Select(i => $"`{i.Type}`, bound to `-{i.Parameter}`.")]);
        Add("## Outputs", help.Outputs.Count == 0 ? ["None"] : [.. help.Outputs.Select(o => $"`{o}`")]);
        if (help.Links.Count > 0)
        {
            Add("## Related links", [.. help.Links.Select(l => l.Uri.Length > 0 ? $"[{Escape(l.Text)}]({l.Uri})" : $"[{l.Text}]({l.Text}.md)")]);
        }

        return text.ToString().TrimEnd('\n') + "\n";

        void Add(string heading, params IEnumerable<string> paragraphs)
        {
            foreach (var paragraph in paragraphs.Prepend(heading))
            {
                text.Append(paragraph).Append("\n\n");
            }
        }
    }

    private static string Fence(string code) => $"```powershell\n{code}\n```";

    private static string Facts(ParameterHelp parameter) => string.Join('\n',
    [
        $"- Type: `{parameter.Type}`",
        $"- Required: {(parameter.IsMandatory ? "yes" : "no")}",
        $"- Position: {parameter.Position}",
        $"- Default: {Escape(parameter.DefaultValue)}",
        $"- Pipeline input: {parameter.PipelineInput}",
        $"- Wildcards: {(parameter.AcceptsWildcards ? "yes" : "no")}",
        .. parameter.Aliases.Count > 0 ? [$"- Aliases: {string.Join(", ", parameter.Aliases)}"] : Array.Empty<string>(),
    ]);

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (@"*_<>[]|`\".Contains(character))
            {
                escaped.Append('\\');
            }

            escaped.Append(character);
        }

        return escaped.ToString();
    }
}
