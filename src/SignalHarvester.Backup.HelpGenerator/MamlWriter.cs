using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>Writes help in Get-Help's form.</summary>
internal static class MamlWriter
{
    /// <summary>Get-Help puts nothing between examples; this line, and an empty paragraph at the end of each, separate them.</summary>
    private const string Rule = "----------";

    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>Writes the help of all commands into one file.</summary>
    /// <param name="commands">The commands.</param>
    /// <param name="path">The file; it is overwritten.</param>
    public static void Write(IEnumerable<CommandHelp> commands, string path)
    {
        var document = new XDocument(new XElement(
            Msh + "helpItems",
            new XAttribute("schema", "maml"),
            new XAttribute(XNamespace.Xmlns + "maml", Maml),
            new XAttribute(XNamespace.Xmlns + "command", Command),
            new XAttribute(XNamespace.Xmlns + "dev", Dev),
            commands.Select(Item)));
        var settings = new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false), NewLineChars = "\n" };
        using var writer = XmlWriter.Create(path, settings);
        document.Save(writer);
    }

    private static XElement Item(CommandHelp help)
    {
        var name = help.Name.Split('-');
        return new XElement(
            Command + "command",
            new XElement(
                Command + "details",
                new XElement(Command + "name", help.Name),
                new XElement(Command + "verb", name[0]),
                new XElement(Command + "noun", name[1]),
                Description([help.Synopsis])),
            Description(help.Description),
            new XElement(Command + "syntax", help.ParameterSets.Select(set => SyntaxItem(help.Name, set))),
            new XElement(Command + "parameters", help.Parameters.Select(p => Parameter(p, isSyntax: false))),
            new XElement(Command + "inputTypes", Inputs(help)),
            new XElement(Command + "returnValues", help.Outputs.Select(o => new XElement(Command + "returnValue", TypeElement(o)))),
            new XElement(Command + "examples", help.Examples.Select(Example)),
            new XElement(Command + "relatedLinks", help.Links.Select(Link)));
    }

    private static XElement SyntaxItem(string name, ParameterSetHelp set) => new(
        Command + "syntaxItem",
        new XElement(Maml + "name", name),
        set.Parameters.Select(p => Parameter(p, isSyntax: true)));

    private static XElement Parameter(ParameterHelp parameter, bool isSyntax)
    {
        var element = new XElement(
            Command + "parameter",
            new XAttribute("required", parameter.IsMandatory),
            new XAttribute("variableLength", true),
            new XAttribute("globbing", parameter.AcceptsWildcards),
            new XAttribute("pipelineInput", parameter.PipelineInput),
            new XAttribute("position", parameter.Position),
            new XAttribute("aliases", parameter.Aliases.Count > 0 ? string.Join(", ", parameter.Aliases) : "none"),
            new XElement(Maml + "name", parameter.Name),
            Description(parameter.Description));
        if (isSyntax && parameter.Values.Count > 0)
        {
            element.Add(new XElement(Command + "parameterValueGroup", parameter.Values.Select(Value)));
        }

        if (!parameter.IsSwitch || !isSyntax)
        {
            element.Add(Value(parameter.Type));
        }

        element.Add(TypeElement(parameter.Type), new XElement(Dev + "defaultValue", parameter.DefaultValue));
        return element;
    }

    private static XElement Value(string text) => new(
        Command + "parameterValue",
        new XAttribute("required", true),
        new XAttribute("variableLength", false),
        text);

    private static IEnumerable<XElement> Inputs(CommandHelp help) => help.Inputs.Count == 0
        ? [new XElement(Command + "inputType", TypeElement("None"))]
        : help.Inputs.Select(i => new XElement(Command + "inputType", TypeElement(i.Type), Description([$"Binds to -{i.Parameter}."])));

    private static XElement Example(ExampleHelp example, int index) => new(
        Command + "example",
        new XElement(Maml + "title", $"{Rule} Example {index + 1}: {example.Title} {Rule}"),
        new XElement(Dev + "code", example.Code),
        new XElement(Dev + "remarks", Paragraphs([.. example.Remarks, string.Empty])));

    private static XElement Link(LinkHelp link) => new(
        Maml + "navigationLink",
        new XElement(Maml + "linkText", link.Text),
        new XElement(Maml + "uri", link.Uri));

    private static XElement TypeElement(string name) => new(Dev + "type", new XElement(Maml + "name", name), new XElement(Maml + "uri"));

    private static XElement Description(IEnumerable<string> paragraphs) => new(Maml + "description", Paragraphs(paragraphs));

    private static IEnumerable<XElement> Paragraphs(IEnumerable<string> paragraphs) => paragraphs.Select(p => new XElement(Maml + "para", p));
}
