using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using SignalHarvester.Backup.PowerShell.Tests.Docs;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>
/// No line is longer than .editorconfig allows, with one exception: a single string with only punctuation around it, because people
/// search for a message as a whole. <c>dotnet format</c> checks the rest of the style, but cannot check this rule.
/// </summary>
public class LineLengthTests
{
    private static readonly string[] Folders = ["src", "tests", "bench"];

    private static readonly int Most = int.Parse(
        File.ReadLines(Path.Combine(MarkdownDocument.Root, ".editorconfig"))
            .Single(line => line.StartsWith("max_line_length", StringComparison.Ordinal))
            .Split('=')[1],
        System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void No_line_is_longer_than_the_editor_is_told()
    {
        var sources = Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(MarkdownDocument.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or ".assets"))
            .ToList();

        // Otherwise nothing could be found.
        Assert.True(sources.Count > 500, $"only {sources.Count} files were looked at");
        Assert.Empty(sources.SelectMany(path => TooLong(File.ReadAllText(path)).Select(line => $"{Path.GetRelativePath(MarkdownDocument.Root, path)}:{line}")));
    }

    [Theory]
    [InlineData("var a = {0};", true)]
    [InlineData("{0},", false)]
    [InlineData("    + ${0});", false)]
    [InlineData("? {0}", false)]
    [InlineData("{0} + name", true)]
    [InlineData("is {0});", true)]
    [InlineData("{0}, {0}", true)]
    [InlineData("// {0}", true)]
    [InlineData("/// <summary>{0}</summary>", true)]
    [InlineData("{0}, // why", true)]
    public void A_line_may_be_longer_only_where_it_is_one_string(string line, bool isFound)
    {
        var text = $"class C\n{{\n    object M(bool a, string name) => Call(\n        a\n{string.Format(null, line, '"' + new string('x', Most) + '"')}\n}}\n";

        Assert.Equal(isFound ? [5] : [], TooLong(text));
    }

    [Fact]
    public void Lines_within_a_string_count_as_that_string()
    {
        var text = $"var a = \"\"\"\n    {new string('x', Most)} y\n    \"\"\";\nvar b = {new string('x', Most)};\n";

        Assert.Equal([4], TooLong(text));
    }

    private static IEnumerable<int> TooLong(string text)
    {
        var source = SourceText.From(text);
        if (!source.Lines.Any(line => line.Span.Length > Most))
        {
            return [];
        }

        var root = CSharpSyntaxTree.ParseText(source).GetRoot();
        return source.Lines.Where(line => line.Span.Length > Most && !IsOneString(root, line)).Select(line => line.LineNumber + 1);
    }

    private static bool IsOneString(SyntaxNode root, TextLine line)
    {
        var tokens = root.DescendantTokens(line.Span)
            .Where(token => token.Span.Length > 0 && token.SpanStart < line.End && token.Span.End > line.Start).ToList();
        return tokens.Select(StringOf).OfType<TextSpan>().Distinct().Count() == 1
            && tokens.All(token => StringOf(token) is not null || SyntaxFacts.IsPunctuation(token.Kind()))
            && !root.DescendantTrivia(line.Span, descendIntoTrivia: false).Any(trivia => trivia.Span.Length > 0 && line.Span.Contains(trivia.Span)
                && trivia.Kind() is SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia);
    }

    /// <summary>Returns the place of the string that a token is, or is a part of.</summary>
    private static TextSpan? StringOf(SyntaxToken token) =>
        token.Parent?.AncestorsAndSelf().OfType<InterpolatedStringExpressionSyntax>().LastOrDefault()?.Span
        ?? (token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
            or SyntaxKind.Utf8StringLiteralToken or SyntaxKind.Utf8SingleLineRawStringLiteralToken or SyntaxKind.Utf8MultiLineRawStringLiteralToken
            ? token.Span
            : null);
}
