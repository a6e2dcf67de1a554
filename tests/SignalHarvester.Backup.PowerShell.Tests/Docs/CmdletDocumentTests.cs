using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/cmdlets has the same help as Get-Help, as the build wrote it.</summary>
public class CmdletDocumentTests
{
    [Fact]
    public void They_are_what_the_build_made_of_the_help()
    {
        var made = Pages(
            Path.Combine(MarkdownDocument.Root, "src", "SignalHarvester.Backup.PowerShell", "obj", BuiltModule.Configuration, "net10.0", "cmdlets"));
        var committed = Pages(Path.Combine(MarkdownDocument.Root, "docs", "cmdlets"));
        Assert.Equal(made.Keys, committed.Keys);
        Assert.All(made, page => Assert.True(
            page.Value == committed[page.Key],
            $"docs/cmdlets/{page.Key} is not the help. Run: dotnet build src/SignalHarvester.Backup.PowerShell -c Release -t:WriteMarkdown"));
    }

    private static SortedDictionary<string, string> Pages(string folder) =>
        new(
            Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file)!, file => File.ReadAllText(file).ReplaceLineEndings("\n")),
            StringComparer.Ordinal);
}
