using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>A document of the repository, and the commands in it.</summary>
internal sealed partial class MarkdownDocument(string text)
{
    /// <summary>The repository's root, above the built module.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Reads a document.</summary>
    public static MarkdownDocument Load(string name) => new(File.ReadAllText(Path.Combine(Root, name)).ReplaceLineEndings("\n"));

    /// <summary>Returns the fenced blocks of a language, in order.</summary>
    public IReadOnlyList<string> Blocks(string language) =>
        [.. FencePattern().Matches(text).Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["code"].Value)];

    /// <summary>
    /// Returns the fenced blocks of a language under each heading that has any, in order, and the needs that a comment
    /// before a block states.
    /// </summary>
    public IReadOnlyList<(string Heading, IReadOnlyList<(string Code, string? Needs)> Blocks)> Sections(string language) =>
    [
        .. HeadingPattern().Split(text).Skip(1).Chunk(2)
            .Select(section => (
                section[0],
                (IReadOnlyList<(string, string?)>)[.. FencePattern().Matches(section[1]).Where(match => match.Groups["language"].Value == language)
                    .Select(match => (match.Groups["code"].Value, match.Groups["needs"].Success ? match.Groups["needs"].Value : null))]))
            .Where(section => section.Item2.Count > 0),
    ];

    /// <summary>Returns the code in the last cell of each row of the table under a heading.</summary>
    public IReadOnlyList<string> TableCode(string heading)
    {
        var section = text[text.IndexOf($"\n## {heading}\n", StringComparison.Ordinal)..];
        var end = section.IndexOf("\n## ", 1, StringComparison.Ordinal);
        return [.. CellPattern().Matches(end < 0 ? section : section[..end]).Select(
            match => match.Groups["code"].Value.Replace(@"\|", "|", StringComparison.Ordinal))];
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "global.json")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No global.json above " + AppContext.BaseDirectory);
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"^\#\#\#? (.*)$", RegexOptions.Multiline)]
    private static partial Regex HeadingPattern();

    [GeneratedRegex(
        @"(^<!-- needs (?<needs>[^>]*) -->\n)?^```(?<language>\w+)\n(?<code>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex FencePattern();

    [GeneratedRegex(@"^\| [^\n]* \| `(?<code>[^`\n]+)`", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex CellPattern();
}
