using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Words of a command line, for completers.</summary>
internal static class CompletedWord
{
    /// <summary>What begins with what was typed so far, quoted or not.</summary>
    public static WildcardPattern Pattern(string? typed) => WildcardPattern.Get(Beginning(typed), WildcardOptions.IgnoreCase);

    /// <summary>The same as text.</summary>
    public static string Beginning(string? typed) => (typed ?? string.Empty).Trim('\'', '"') + "*";

    /// <summary>A text as it stands on a command line where wildcards are taken.</summary>
    public static string Quoted(string text) => Literal(WildcardPattern.Escape(text));

    /// <summary>A text as it stands on a command line where it is taken as it is.</summary>
    public static string Literal(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '/' or '\\' or ':')
            ? text
            : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";

    /// <summary>The file's name in a path of whatever operating system.</summary>
    public static string FileName(string path) => path.Split('/', '\\')[^1];
}
