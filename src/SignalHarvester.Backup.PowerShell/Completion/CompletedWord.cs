using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Words of a command line, for completers.</summary>
internal static class CompletedWord
{
    /// <summary>Returns a pattern for everything that begins with the typed text, quoted or not.</summary>
    public static WildcardPattern Pattern(string? typed) => WildcardPattern.Get(Beginning(typed), WildcardOptions.IgnoreCase);

    /// <summary>Returns the same pattern as text.</summary>
    public static string Beginning(string? typed) => (typed ?? string.Empty).Trim('\'', '"') + "*";

    /// <summary>Returns a text in the form for a parameter that accepts wildcards.</summary>
    public static string Quoted(string text) => Literal(WildcardPattern.Escape(text));

    /// <summary>Returns a text in the form for a parameter that takes it literally.</summary>
    public static string Literal(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/' or '\\' or ':')
            ? text
            : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";

    /// <summary>Returns the file's name in a path of any operating system.</summary>
    public static string FileName(string path) => path.Split('/', '\\')[^1];
}
