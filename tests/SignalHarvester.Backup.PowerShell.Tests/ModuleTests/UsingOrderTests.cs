using SignalHarvester.Backup.PowerShell.Tests.Docs;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>
/// The usings of a file are in the order of .editorconfig: System first, then by the alphabet. The build does not look at that, and
/// <c>dotnet format</c> does only when it loads all projects.
/// </summary>
public class UsingOrderTests
{
    private static readonly string[] Folders = ["src", "tests", "bench"];

    [Fact]
    public void Usings_are_in_order()
    {
        var sources = Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(MarkdownDocument.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or ".assets"))
            .ToList();

        // Otherwise nothing could be found.
        Assert.True(sources.Count > 500, $"only {sources.Count} files were looked at");
        Assert.Empty(sources.Where(path => !IsInOrder(File.ReadLines(path))).Select(path => Path.GetRelativePath(MarkdownDocument.Root, path)));
    }

    [Theory]
    [InlineData(true, "using System;", "using System.Text;", "using Azure.Core;", "using Xunit;", "", "namespace A;")]
    [InlineData(false, "using Azure.Core;", "using System.Text;")]
    [InlineData(false, "using System.Text;", "using System;")]
    [InlineData(false, "using Xunit;", "using Azure.Core;")]
    [InlineData(true, "using Xunit;", "", "namespace A;", "using var a = b;")]
    [InlineData(true, "using Zebra;", "using static Azure.Core;", "using A = System.B;")]
    public void Order_is_seen(bool isInOrder, params string[] lines) => Assert.Equal(isInOrder, IsInOrder(lines));

    private static bool IsInOrder(IEnumerable<string> lines)
    {
        string[] names = [.. lines.TakeWhile(line => !line.StartsWith("namespace ", StringComparison.Ordinal))
            .Where(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains(" static ", StringComparison.Ordinal)
                && !line.Contains('=', StringComparison.Ordinal))
            .Select(line => line["using ".Length..^1])];
        return names.SequenceEqual(names.OrderBy(name => name != "System" && !name.StartsWith("System.", StringComparison.Ordinal))
            .ThenBy(name => name, StringComparer.OrdinalIgnoreCase));
    }
}
